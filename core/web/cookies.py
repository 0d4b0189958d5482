"""The names of our own cookies, and Django's messages under such a name."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


def named(name: str, *, path: str = "/") -> str:
    """
    Return the name under which a cookie is set.

    With https it begins with what browsers guard: `__Secure-` is taken over https only, `__Host-` moreover from this very
    host for all of its paths, so that neither a network in between nor a neighbour on the domain can plant one.
    """
    if not settings.SESSION_COOKIE_SECURE:
        return name
    return f"__Host-{name}" if path == "/" else f"__Secure-{name}"


MESSAGES = named("messages")


class MessageCookie(CookieStorage):
    cookie_name = MESSAGES


class MessageStorage(FallbackStorage):
    """Messages in a cookie; those that it has no room for in the session."""

    storage_classes = (MessageCookie, SessionStorage)
