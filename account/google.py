"""
A Google account beside one's password: link it, take it off again. Logging in by it is the business of pipeline.py.

Linking asks for the password, since a browser left open must not become a second way in; it needs a proven address,
since whoever registers with somebody else's address could keep a way in for later; taking it off needs a password,
since nothing else would be left to log in with.
"""

import time

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from social_django.models import UserSocialAuth

from . import mails
from .models import User

PROVIDER = "google-oauth2"
LINKING = "google_linking"  # session key: who confirmed by password that they want to link, and until when
SECONDS = 600


def linked(user: User) -> UserSocialAuth | None:
    return UserSocialAuth.objects.filter(user=user, provider=PROVIDER).first()


def allow_link(request: HttpRequest) -> None:
    """Let the next return from Google link the account; the password was asked for."""
    request.session[LINKING] = [request.user.pk, int(time.time()) + SECONDS]


def use_permission(request: HttpRequest) -> bool:
    """Tell whether this session may link now; a permission is good for once."""
    who, until = request.session.pop(LINKING, (None, 0))
    return bool(who == request.user.pk and time.time() < until)


def unlink(user: User) -> None:
    with transaction.atomic():
        UserSocialAuth.objects.filter(user=user, provider=PROVIDER).delete()
        # Or the next login by Google would find the member by the address and link them again.
        User.objects.filter(pk=user.pk).update(google_unlinked_at=timezone.now())
        mails.google(user, is_linked=False)
