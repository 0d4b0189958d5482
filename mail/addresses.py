"""E-mail addresses: the one way each is written, which can be reached, and which are known to be their owner's."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

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


def validate_reachable(email: str) -> None:
    """Refuse what Django accepts but no mail of ours reaches: a@localhost, a@[127.0.0.1]."""
    domain = email.rpartition("@")[2]
    if "." not in domain or domain.startswith("["):
        raise ValidationError(_("Enter an address that mail can reach."), code="unreachable")


def validate_public(email: str) -> None:
    """Refuse moreover what leads into the network that the site stands in: strangers say where these mails go."""
    validate_reachable(email)
    if email.endswith((".localhost", ".local", ".internal")):
        raise ValidationError(_("Enter an e-mail address that the whole world can write to."), code="not_public")


def mark_proven(email: str) -> None:
    """Remember that the address is its owner's; safe to repeat and to race."""
    ProvenAddress.objects.bulk_create([ProvenAddress(email=plain(email))], ignore_conflicts=True)


def is_proven(email: str) -> bool:
    return ProvenAddress.objects.filter(email__iexact=plain(email)).exists()
