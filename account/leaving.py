"""
Leaving for good: what belongs to the person is deleted, what others or the law need stays without a name.

The row itself stays, switched off, since posts and orders point at it; nothing in it says any more who it was.
"""

import secrets

from django.db import transaction
from django.utils import timezone

from archive import personal_data
from content.pictures import discard
from mail.models import OutgoingMail, ProvenAddress
from search import index

from . import mails, tries
from .models import Registration, User

NOWHERE = "@gone.invalid"
OUR_MAILS = ("account-", "password-")


class Needed(Exception):
    """Staff do not leave by themselves: somebody has to take over first."""


def leave(user: User) -> None:
    """Forget the person everywhere and mail them that it is done."""
    if user.is_staff:
        raise Needed
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        address, name = user.email, user.display_name
        personal_data.erase(user)
        index.remove(user)
        _forget_traces(user)
        _make_nameless(user)
        mails.gone(user.pk, address, name)


def _forget_traces(user: User) -> None:
    """Forget what points at the person by address or name instead of by id."""
    tries.forget(user)
    Registration.objects.filter(email=user.email).delete()
    ProvenAddress.objects.filter(email__iexact=user.email).delete()
    for kind in OUR_MAILS:
        OutgoingMail.objects.filter(to__iexact=user.email, kind__startswith=kind).delete()


def _make_nameless(user: User) -> None:
    discard(user.photo.name or "")
    blank = {"first_name": "", "last_name": "", "bio": "", "link": "", "photo": "", "date_of_birth": None}
    marks = {"is_active": False, "email_proven_at": None, "google_unlinked_at": None}
    flags = {"was_proven": False, "has_second_factor": False}
    for field, value in {**blank, **marks, **flags}.items():
        setattr(user, field, value)
    user.username = f"gone-{user.pk}-{secrets.token_hex(4)}"
    user.email = f"{user.username}{NOWHERE}"
    user.last_login = None
    user.date_joined = timezone.now()
    user.set_unusable_password()
    user.groups.clear()
    user.user_permissions.clear()
    user.save()
