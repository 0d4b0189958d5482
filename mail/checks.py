import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error


def mail_goes_somewhere(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or settings.EMAIL_URL:
        return []
    return [
        Error(
            "EMAIL_URL is missing and DEBUG is off: no mail would reach anybody.",
            hint="For example EMAIL_URL=smtp+tls://user:password@mail.example.com:587.",
            id="mail.E001",
        )
    ]


def mail_is_encrypted(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    host = urlsplit(settings.EMAIL_URL).hostname or ""
    is_plain = settings.EMAIL_URL.startswith("smtp://") and not is_near(host)
    if settings.DEBUG or not is_plain or "mail" in settings.ALLOW_UNENCRYPTED:
        return []
    return [
        Error(
            f"EMAIL_URL is smtp:// to {host}: mails, and the password, would cross the network in clear.",
            hint="Most servers take smtp+tls:// or smtps://. For one that only a VPN leads to, ALLOW_UNENCRYPTED=mail.",
            id="mail.E002",
        )
    ]


def is_near(host: str) -> bool:
    """Tell whether the name leads nowhere but to this machine or a network of ours."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".home.arpa"))
