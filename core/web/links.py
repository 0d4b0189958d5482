"""Addresses for mail, feeds and Stripe: always from SITE_URL, never from the request's Host header."""

from django.conf import settings


def site_url(path: str) -> str:
    """Return the full address of a path that begins with a slash."""
    return f"{settings.SITE_URL}{path}"
