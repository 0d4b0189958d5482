from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest

from .cookies import MESSAGES


def site(request: HttpRequest) -> dict[str, object]:
    """
    Return what base.html shows on every page.

    `has_session` and `has_messages` are read from cookie names alone: base.html asks them before it touches `user`,
    `cart` or `messages`, so that a page for a visitor without a session neither reads one nor varies by cookie.
    """
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES and hasattr(request, "session")
    waiting = getattr(get_messages(request), "added_new", False)
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "google_login": bool(settings.SOCIAL_AUTH_GOOGLE_OAUTH2_KEY),
        "has_session": has_session,
        "has_messages": has_session or waiting or MESSAGES in request.COOKIES,
    }
