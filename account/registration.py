"""
Becoming a member, and proving that an address is one's own.

Whoever registers gets the same answer whether the address is known or not; what differs is the mail, which only the
owner of the address reads.
"""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from actions.models import Action
from mail import outbox
from mail.addresses import plain
from mail.links import site_url
from search import index

from .models import User

PROOF_SALT = "account.prove-email"
CHANGE_SALT = "account.change-email"
PROOF_DAYS = 3


def register(*, username: str, email: str, password: str, first_name: str = "") -> User | None:
    """Create the member and mail the proof link; for a known address mail its owner instead and return None."""
    email = plain(email)
    try:
        with transaction.atomic():
            if not User.objects.filter(email=email).exists():
                user = User.objects.create_user(username, email, password, first_name=first_name)
                welcome(user)
                mail_proof(user)
                return user
            make_password(password)  # the same work as for a new member
    except IntegrityError:
        # Somebody took the address or the name between the form's check and the insert.
        if not User.objects.filter(email=email).exists():
            raise
    with transaction.atomic():
        _mail_known_address(User.objects.get(email=email))
    return None


def welcome(user: User) -> None:
    """Tell the rest of the site about a member just created; in the creating transaction."""
    Action.objects.record(user, Action.Verb.REGISTERED)
    index.write(user)


def mail_proof(user: User) -> None:
    token = signing.dumps({"user": user.pk, "email": user.email}, salt=PROOF_SALT)
    outbox.enqueue(
        kind="account-proof",
        dedup_key=f"account-proof:{user.pk}:{token}",
        to=user.email,
        template="account/email/prove",
        context={"user": user, "link": site_url(reverse("account:prove", args=[token])), "days": PROOF_DAYS},
        secret=True,
    )


def read_proof(token: str) -> User | None:
    """Return whom the link proves, or None when it is old, damaged, or for an address since changed."""
    try:
        claim: dict[str, Any] = signing.loads(token, salt=PROOF_SALT, max_age=PROOF_DAYS * 86400)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=claim["user"], email=claim["email"], is_active=True).first()


def mail_new_address(user: User, email: str) -> None:
    """Ask the new address for its word and warn the old one; a new address that is somebody's gets no mail."""
    token = signing.dumps({"user": user.pk, "old": user.email, "new": email}, salt=CHANGE_SALT)
    with transaction.atomic():
        if not User.objects.filter(email=email).exists():
            _mail_change(user, email, "account/email/new_address", token)
        _mail_change(user, user.email, "account/email/old_address", token)


def _mail_change(user: User, to: str, template: str, token: str) -> None:
    outbox.enqueue(
        kind="account-address",
        dedup_key=f"{template}:{user.pk}:{token}",
        to=to,
        template=template,
        context={"user": user, "link": site_url(reverse("account:email_confirm", args=[token])), "days": PROOF_DAYS},
        secret=True,
    )


def read_new_address(token: str) -> tuple[User, str] | None:
    """Return whose address becomes which, or None when the link is old, damaged or used."""
    try:
        claim = signing.loads(token, salt=CHANGE_SALT, max_age=PROOF_DAYS * 86400)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=claim["user"], email=claim["old"], is_active=True).first()
    return (user, claim["new"]) if user else None


def take_new_address(token: str) -> bool:
    """Give the account the address that the link was mailed to; False when the link or the address is gone."""
    change = read_new_address(token)
    if change is None:
        return False
    user, email = change
    try:
        with transaction.atomic():
            user.email, user.email_proven_at = email, None
            user.save(update_fields=["email", "email_proven_at"])
            user.prove_email()
    except IntegrityError:  # somebody else has it by now
        return False
    return True


def _mail_known_address(owner: User) -> None:
    now = timezone.now()
    outbox.enqueue(
        kind="account-known",
        dedup_key=f"account-known:{owner.pk}:{now:%Y-%m-%d-%H}",
        to=owner.email,
        template="account/email/known",
        context={"user": owner, "login": site_url(reverse("login")), "reset": site_url(reverse("password_reset"))},
    )
