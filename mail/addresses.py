"""Which e-mail addresses are known to belong to the person who typed them."""

from .models import ProvenAddress


def mark_proven(email: str) -> None:
    """Remember that the address is its owner's; safe to repeat and to race."""
    ProvenAddress.objects.bulk_create([ProvenAddress(email=email.strip().lower())], ignore_conflicts=True)


def is_proven(email: str) -> bool:
    return ProvenAddress.objects.filter(email__iexact=email.strip()).exists()
