"""
Steps of Google login. Two rules: only an address that Google has verified counts, and an account whose own address
was never proven is not taken over, since somebody else may have registered it to lie in wait.
"""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from social_core.backends.base import BaseAuth
from social_core.pipeline.social_auth import associate_user

from mail.addresses import plain

from . import google, mails
from .models import User
from .names import RESERVED, acceptable
from .registration import welcome


def _refuse(backend: "BaseAuth[Any]", reason: str) -> HttpResponse:
    """End the pipeline on the login page; social-auth's own exceptions would show a general text only."""
    messages.error(backend.strategy.request, reason)  # type: ignore[attr-defined]
    return redirect("login")


def require_verified_address(
    backend: "BaseAuth[Any]", details: dict[str, Any], response: dict[str, Any], **kwargs: Any
) -> HttpResponse | None:
    if response.get("email_verified") is not True or not details.get("email"):
        return _refuse(backend, _("Google has not verified your e-mail address."))
    return None


def find_member(
    backend: "BaseAuth[Any]", details: dict[str, Any], user: User | None = None, **kwargs: Any
) -> dict[str, Any] | HttpResponse | None:
    """Join a Google account to the member who proved the same address; refuse when nobody proved it."""
    if user is not None:
        return None
    member = User.objects.filter(email=plain(details["email"])).first()
    if member is None:
        return None
    if google.linked(member):
        return _refuse(backend, _("Your account here is linked with another Google account."))
    if member.google_unlinked_at:
        return _refuse(backend, _("You took Google off your account. Log in with your password and link it again."))
    if member.is_proven and member.is_active:
        return {"user": member, "is_new": False}
    reason = _("An account with this address exists, but nobody has confirmed it. Set a new password for it first.")
    return _refuse(backend, reason)


def require_permission_to_link(
    backend: "BaseAuth[Any]", user: User | None = None, social: Any = None, **kwargs: Any
) -> HttpResponse | None:
    """Let a member who is logged in link a Google account only by way of our page, which asks for the password."""
    request = backend.strategy.request  # type: ignore[attr-defined]
    if user is None or social is not None or not request.user.is_authenticated:
        return None
    if google.use_permission(request):
        return None
    messages.error(request, _("Please confirm with your password that you want to link a Google account."))
    return redirect("account:google")


def link(
    backend: "BaseAuth[Any]", uid: str, user: User, *, is_new: bool = False, **kwargs: Any
) -> dict[str, Any] | None:
    """Link the Google account as social-core does, with the mail that tells a member who was here before."""
    with transaction.atomic():
        result: dict[str, Any] | None = associate_user(backend, uid, user, **kwargs)
        User.objects.filter(pk=user.pk).exclude(google_unlinked_at=None).update(google_unlinked_at=None)
        if is_new or not (result and result.get("new_association")):
            return result
        mails.google(user, is_linked=True)
    messages.success(backend.strategy.request, _("Your Google account is linked."))  # type: ignore[attr-defined]
    return result


def refuse_disconnect(backend: "BaseAuth[Any]", **kwargs: Any) -> HttpResponse:
    """Lead social-auth's own address for taking an account off to our page, which asks for the password."""
    return redirect("account:google")


def create_member(
    backend: "BaseAuth[Any]", details: dict[str, Any], username: str, user: User | None = None, **kwargs: Any
) -> dict[str, Any] | None:
    if user is not None:
        return None
    with transaction.atomic():
        new = User.objects.create_user(
            username,
            details["email"],
            first_name=acceptable((details.get("first_name") or "")[:60]),
            last_name=acceptable((details.get("last_name") or "")[:60]),
        )
        new.prove_email()
        welcome(new)
    return {"user": new, "is_new": True}


def clean_username(value: str) -> str:
    """Make what stands before Google's @ fit our rules; the pipeline adds random letters when the name is taken."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in value)
    kept = kept[:33].strip("-") or "member"
    return f"{kept}-member" if kept.lower() in RESERVED else kept
