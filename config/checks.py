"""What must not be true of a site that strangers reach."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import DatabaseError
from django.http.request import validate_host


@register(deploy=True)
def demo_logins_are_gone(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    from .demo.accounts import with_known_password

    if settings.DEBUG:
        return []
    try:
        accounts = with_known_password()
    except DatabaseError:  # no tables yet, or no database: nobody can log in
        return []
    if not accounts:
        return []
    names = [user.username for user in accounts]
    return [
        Error(
            f"The demo's login is open, and its password is known to everybody: {', '.join(names)}.",
            hint=f"`manage.py demo --remove` takes the demo away; `manage.py changepassword {names[0]}` closes the login.",
            id="config.E001",
        )
    ]


@register
def people_come_by_https(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or settings.SITE_URL.startswith("https://") or "site" in settings.ALLOW_UNENCRYPTED:
        return []
    return [
        Error(
            f"SITE_URL is {settings.SITE_URL}: passwords and sessions would cross the network for everybody to read.",
            hint="Give the site a certificate and an https:// address. Behind a VPN that encrypts, ALLOW_UNENCRYPTED=site.",
            id="config.E003",
        )
    ]


@register
def own_address_is_answered(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    if settings.DEBUG or validate_host(host, settings.ALLOWED_HOSTS):
        return []
    return [
        Error(
            f"SITE_URL names {host}, and ALLOWED_HOSTS does not: every page and every mailed link would be refused.",
            hint=f"Put {host} into ALLOWED_HOSTS.",
            id="config.E002",
        )
    ]
