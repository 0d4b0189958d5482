"""What must not be true of a site that strangers reach."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.http.request import validate_host


@register
def people_come_by_https(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or settings.SITE_URL.startswith("https://") or "site" in settings.ALLOW_UNENCRYPTED:
        return []
    return [
        Error(
            f"SITE_URL is {settings.SITE_URL}: passwords and sessions would cross the network for everybody to read.",
            hint="Give the site a certificate and an https:// address. Behind a VPN that encrypts, ALLOW_UNENCRYPTED=site.",
            id="core.E003",
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
            id="core.E002",
        )
    ]
