"""
Browsers that a member has logged in with before: a signed cookie says so (OWASP calls it a device cookie).

It opens nothing. It lets the login count this browser's wrong passwords by themselves, so that a stranger who guesses
elsewhere cannot keep the member out. It is given out only for a right password and is worth nothing once that changes.
"""

from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from core.web.cookies import named

from .models import User

PATH = "/account/"
COOKIE = named("known_device", path=PATH)
SALT = "account.known-device"
CODE_SALT = "account.known-device.code"  # of the mark of a browser in which a code was right, too
SECONDS = 365 * 86400
MOST_MEMBERS = 5  # who share one browser


def known(request: HttpRequest, user: User, *, for_codes: bool = False) -> str:
    """
    Return the name under which this browser's tries at the member's password are counted; empty if it is unknown.

    `for_codes` asks for a browser in which a code was right: a password alone must not give tries at codes anew.
    """
    cookie = _read(request)
    mark = cookie.get("members", {}).get(str(user.pk), "")
    salts = [CODE_SALT] if for_codes else [CODE_SALT, SALT]
    is_known = bool(mark) and any(user.has_password_mark(salt, mark) for salt in salts)
    return f"{cookie['id']}:{user.pk}" if is_known else ""


def remember(request: HttpRequest, response: HttpResponse, user: User, *, gave_code: bool = False) -> None:
    """Let the browser that has just given the right password or code, or set a new one, be known from now on."""
    cookie = _read(request)
    salt = CODE_SALT if gave_code or known(request, user, for_codes=True) else SALT
    others = {pk: mark for pk, mark in cookie.get("members", {}).items() if pk != str(user.pk)}
    newest = dict(list(others.items())[-(MOST_MEMBERS - 1) :])
    value = {
        "id": cookie.get("id") or get_random_string(16),
        "members": {**newest, str(user.pk): user.password_mark(salt)},
    }
    response.set_cookie(
        COOKIE,
        signing.dumps(value, salt=SALT, compress=True),
        max_age=SECONDS,
        path=PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> dict[str, Any]:
    try:
        cookie: dict[str, Any] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return {}
    return cookie
