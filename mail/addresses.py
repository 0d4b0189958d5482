"""E-mail addresses: the one way each is written, and which are known to belong to the person who typed them."""

import unicodedata

from .models import ProvenAddress


def plain(email: str) -> str:
    """
    Return the one way an address is kept and looked for.

    BOB@Example.com is bob@example.com; so are the full-width letters that some keyboards write; and a domain stands as
    mail programs send it, so that münchen.example and xn--mnchen-3ya.example are one.
    """
    name, at, domain = unicodedata.normalize("NFKC", email).strip().lower().rpartition("@")
    try:
        return f"{name}{at}{domain.encode('idna').decode()}"
    except UnicodeError:  # no domain at all; forms refuse it
        return f"{name}{at}{domain}"


def mark_proven(email: str) -> None:
    """Remember that the address is its owner's; safe to repeat and to race."""
    ProvenAddress.objects.bulk_create([ProvenAddress(email=plain(email))], ignore_conflicts=True)


def is_proven(email: str) -> bool:
    return ProvenAddress.objects.filter(email__iexact=plain(email)).exists()
