"""The mails that an account causes. Each is written in the transaction that causes it; a link in one is good for once."""

import time

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from core.web.links import site_url
from mail import outbox
from mail.models import OutgoingMail

from .models import User

PROOF_DAYS = 3


def proof(to: str, dedup_key: str, link: str) -> None:
    """Ask an address for its word: it opens an account, or proves the address of one."""
    outbox.enqueue(
        kind="account-proof",
        dedup_key=dedup_key,
        to=to,
        template="account/email/prove",
        context={"link": link, "days": PROOF_DAYS},
        secret=True,
    )


def known_address(owner: User) -> None:
    """Tell a member that somebody tried to register their address; at most once an hour."""
    outbox.enqueue(
        kind="account-known",
        dedup_key=f"account-known:{owner.pk}:{timezone.now():%Y-%m-%d-%H}",
        to=owner.email,
        template="account/email/known",
        context={"user": owner, "login": site_url(reverse("login")), "reset": site_url(reverse("password_reset"))},
    )


def new_address(user: User, email: str, token: str) -> OutgoingMail:
    """Ask the address that the member wants to have for its word."""
    return _change(user, email, "account/email/new_address", token)


def old_address(user: User, token: str) -> OutgoingMail:
    """Warn the address that the member has had so far."""
    return _change(user, user.email, "account/email/old_address", token)


def _change(user: User, to: str, template: str, token: str) -> OutgoingMail:
    return outbox.enqueue(
        kind="account-address",
        dedup_key=f"{template}:{user.pk}:{token}",
        to=to,
        template=template,
        context={"user": user, "link": site_url(reverse("account:email_confirm", args=[token])), "days": PROOF_DAYS},
        secret=True,
    )


def moved(user: User, old: str) -> None:
    """Tell the former address that staff have put another in its place."""
    outbox.enqueue(
        kind="account-moved",
        dedup_key=f"account-moved:{user.pk}:{timezone.now():%Y-%m-%d-%H-%M-%S}",
        to=old,
        template="account/email/moved",
        context={"user": user},
        reply_to=settings.STAFF_EMAIL,
    )


def password_reset(user: User, token: str) -> OutgoingMail:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return outbox.enqueue(
        kind="password-reset",
        dedup_key=f"password-reset:{user.pk}:{token}",
        to=user.email,
        template="registration/email/password_reset",
        context={"user": user, "link": site_url(reverse("password_reset_confirm", args=[uid, token]))},
        secret=True,
    )


def google(user: User, *, is_linked: bool) -> None:
    """Tell the member that a Google account was linked or taken off: whoever did not do it should hear of it."""
    outbox.enqueue(
        kind="account-google",
        dedup_key=f"account-google:{user.pk}:{is_linked}:{time.time():.0f}",
        to=user.email,
        template="account/email/google",
        context={"user": user, "is_linked": is_linked, "link": site_url(reverse("account:google"))},
    )


def gone(user_id: int, address: str, name: str) -> None:
    """Tell somebody who has left, at the address they had, that it is done."""
    outbox.enqueue(
        kind="account-gone",
        dedup_key=f"account-gone:{user_id}",
        to=address,
        template="account/email/gone",
        context={"name": name},
    )
