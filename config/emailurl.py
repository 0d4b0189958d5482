"""
EMAIL_URL, one address for where mail goes, as Django's setting MAILERS has it.

    smtp://user:password@host:25      plain SMTP
    smtp+tls://user:password@host     STARTTLS, port 587
    smtps://user:password@host        TLS from the first byte, port 465
    console:                          printed by the process
    file:///a/folder                  one .eml file for each mail, which every mail program opens
"""

from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def _has_port(parts: SplitResult) -> bool:
    """Tell whether the port, if there is one, is a number."""
    with suppress(ValueError):
        return parts.port != 0
    return False


def mailer(url: str, *, folder: Path, timeout: int = 10) -> dict[str, Any]:
    """Return the entry of MAILERS for `url`; without one, mails become files in `folder`."""
    parts = urlsplit(url or folder.as_uri())
    if parts.scheme in PORTS and parts.hostname and _has_port(parts):
        options = {
            "host": parts.hostname,
            "port": parts.port or PORTS[parts.scheme],
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_tls": parts.scheme == "smtp+tls",
            "use_ssl": parts.scheme == "smtps",
            "timeout": timeout,
        }
        return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}
    if parts.scheme == "console":
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file" and parts.path:
        return {"BACKEND": "mail.backends.EmlFileBackend", "OPTIONS": {"folder": unquote(parts.path)}}
    raise ImproperlyConfigured(
        "EMAIL_URL must be smtp://, smtp+tls:// or smtps://user:password@host:port, console: or file:///folder."
    )
