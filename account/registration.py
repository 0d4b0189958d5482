"""
Becoming a member, and proving that an address is one's own.

Whoever registers gets the same answer whether the address is known or not; what differs is the mail, which only the
owner of the address reads. The account begins when its link is opened.
"""

from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from social_django.models import UserSocialAuth

from actions.models import Action
from core.web.links import site_url
from core.web.ratelimit import hit
from mail.addresses import plain
from search import index

from . import mails, second_factor
from .models import Registration, User

REGISTRATION_SALT = "account.register"
PROOF_SALT = "account.prove-email"
CHANGE_SALT = "account.change-email"

PER_MAILBOX = ("5/h", "10/d")  # mails that strangers can cause, whatever their kind and whoever they are


class NameTaken(Exception):
    """Somebody has the username by now."""


class AddressTaken(Exception):
    """The address has its account by now: the link was opened twice, or there were two."""


def register(*, username: str, email: str, password: str, first_name: str = "", onward: str = "") -> None:
    """
    Note who wants to become a member and mail the address a link; the owner of a known address is told so instead.

    There is no account before the link is opened, so nobody can find one, log in to it or hit upon its name: all that
    would tell whether the address was known. `onward` is the page of ours that the link leads to in the end.
    """
    email = plain(email)
    may_mail = may_write_to(email)
    owner = User.objects.filter(email=email).first()
    with transaction.atomic():
        wish = Registration.objects.create(
            username=username, first_name=first_name, email=email, password=make_password(password)
        )
        if may_mail and owner:
            mails.known_address(owner)
        elif may_mail:
            _mail_link(wish, onward)


def read_registration(token: str) -> Registration | None:
    """Return whose link it is, or None when it is old, damaged or used; raises AddressTaken."""
    claim = _claim_in(token, REGISTRATION_SALT)
    if claim is None:
        return None
    if User.objects.filter(email=claim["email"]).exists():
        raise AddressTaken
    return Registration.objects.filter(pk=claim["registration"], email=claim["email"]).first()


def _claim_in(token: str, salt: str) -> dict[str, Any] | None:
    """Return what a mailed link says, or None when it is old or damaged."""
    try:
        claim: dict[str, Any] = signing.loads(token, salt=salt, max_age=timedelta(days=mails.PROOF_DAYS))
    except signing.BadSignature:
        return None
    return claim


def join(wish: Registration, username: str) -> User:
    """Make the account of somebody who has opened the mailed link; raises NameTaken and AddressTaken."""
    user = User(username=username, first_name=wish.first_name, email=wish.email, password=wish.password)
    try:
        with transaction.atomic():
            user.save()
            user.prove_email()
            welcome(user)
            Registration.objects.filter(email=wish.email).delete()
    except IntegrityError as error:
        raise (AddressTaken if User.objects.filter(email=wish.email).exists() else NameTaken) from error
    return user


def forget_old_registrations() -> None:
    Registration.objects.filter(created_at__lt=timezone.now() - timedelta(days=mails.PROOF_DAYS)).delete()


def may_write_to(email: str) -> bool:
    """Count a mail that anybody can cause to an address that may be anybody's."""
    return all(hit("account-mail", plain(email), rate) for rate in PER_MAILBOX)


def welcome(user: User) -> None:
    """Tell the rest of the site about a member just created; in the creating transaction."""
    Action.objects.record(user, Action.Verb.REGISTERED)
    index.write(user)


def mail_proof(user: User) -> None:
    """Ask a member for the word of an address that staff typed."""
    token = signing.dumps({"user": user.pk, "email": user.email}, salt=PROOF_SALT)
    link = site_url(reverse("account:prove", args=[token]))
    mails.proof(user.email, f"account-proof:{user.pk}:{token}", link)


def _mail_link(wish: Registration, onward: str) -> None:
    token = signing.dumps({"registration": wish.pk, "email": wish.email}, salt=REGISTRATION_SALT)
    query = f"?{urlencode({'next': onward})}" if onward else ""
    link = site_url(reverse("account:join", args=[token]) + query)
    mails.proof(wish.email, f"account-join:{wish.pk}:{token}", link)


def read_proof(token: str) -> User | None:
    """Return whom the link proves, or None when it is old, damaged, or for an address since changed."""
    claim = _claim_in(token, PROOF_SALT)
    if claim is None:
        return None
    found: User | None = User.objects.filter(pk=claim["user"], email=claim["email"], is_active=True).first()
    return found


def mail_new_address(user: User, email: str) -> None:
    """Ask the new address for its word and warn the old one; a new address that is somebody's gets no mail."""
    mark = user.password_mark(CHANGE_SALT)
    may_mail = may_write_to(email)
    token = signing.dumps({"old": user.email, "new": email, "mark": mark}, salt=CHANGE_SALT)
    with transaction.atomic():
        mail = mails.new_address(user, email, token) if may_mail else None
        if User.objects.filter(email=email).exists() and mail:
            mail.delete()  # written all the same, so that the time it takes does not tell whose addresses we know
        mails.old_address(user, token)


def move_address(user: User, old: str) -> None:
    """Save the address that staff typed, which proves nothing; ask it for its word and warn the old one."""
    was_known, user.was_proven, user.email_proven_at = user.is_proven, user.was_ever_proven, None
    user.save()
    if user.is_active:
        mail_proof(user)
    if was_known:
        mails.moved(user, old)


def read_new_address(token: str, user: User) -> str | None:
    """
    Return the address that the link was mailed to, or None when it is old, damaged, used or another member's.

    It dies with the password: whoever set a new one because of the warning must not lose the account to it after all.
    """
    claim = _claim_in(token, CHANGE_SALT)
    if claim is None or claim["old"] != user.email or not user.has_password_mark(CHANGE_SALT, claim["mark"]):
        return None
    return str(claim["new"])


def take_new_address(token: str, user: User) -> bool:
    """Give the member the address that the link was mailed to; False when the link or the address is gone."""
    email = read_new_address(token, user)
    if email is None:
        return False
    try:
        with transaction.atomic():
            user.email, user.email_proven_at = email, None
            user.save(update_fields=["email", "email_proven_at"])
            user.prove_email()
    except IntegrityError:  # somebody else has it by now
        return False
    return True


def prove_by_reset(user: User) -> None:
    """
    Record that a mailed link led here, and drop whatever was set up before anybody had opened one.

    Somebody else may have registered the address, and waits with a session, a second factor or a Google account of
    theirs. Staff are made by staff, so theirs stay; and so do those of a member who proved an address that staff have
    changed since: what staff type must not open the account without its second factor.
    """
    if not user.was_ever_proven and not user.is_staff:
        user.sessions.all().delete()
        second_factor.remove(user)
        UserSocialAuth.objects.filter(user=user).delete()
    user.prove_email()
