"""
Settings from the environment or from `.env`, and what each may look like.

A value that makes no sense stops the process with a sentence that names the setting. What may hold a password is not
repeated in it. Read by settings.py, so it imports nothing of Django that needs settings.
"""

import os
from collections.abc import Callable
from email.utils import parseaddr
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from decouple import config
from django.core.exceptions import ImproperlyConfigured
from django_countries.data import COUNTRIES

Cast = Callable[[Any], Any]

TRUE, FALSE = {"true", "t", "yes", "y", "on", "1"}, {"false", "f", "no", "n", "off", "0", ""}


def env(name: str, default: Any = "", *, cast: Cast = str) -> Any:
    """Return the setting, as `cast` makes it of the text; raise ImproperlyConfigured for what `cast` refuses."""
    try:
        return config(name, default=default, cast=cast)
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(".env is not UTF-8 text. Save it again as UTF-8.") from error
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be {error}.") from error


# --- What a value may look like: each raises ValueError with the words that follow "must be" ------------------------


def flag(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in TRUE | FALSE:
        raise ValueError(f"true or false, not {value!r}")
    return text in TRUE


def natural(value: Any) -> int:
    """Return a whole number from 0."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"a whole number from 0, not {value!r}")
    return int(text)


def positive(value: Any) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0
    if not (isfinite(number) and number > 0):
        raise ValueError(f"a number above 0, not {value!r}")
    return number


def one_of(*options: str) -> Cast:
    def cast(value: Any) -> str:
        found = {option.lower(): option for option in options}.get(str(value).strip().lower())
        if found is None:
            raise ValueError(f"one of {', '.join(options)}, not {value!r}")
        return found

    return cast


def time_zone(value: Any) -> str:
    try:
        return ZoneInfo(value).key
    except (ValueError, OSError, LookupError):
        raise ValueError(f"a time zone such as Europe/Berlin, not {value!r}") from None


def country(value: Any) -> str:
    code = str(value).strip().upper()
    if code not in COUNTRIES:
        raise ValueError(f"a country's two letters, such as DE or FR, not {value!r}")
    return code


def mailbox(value: Any) -> str:
    if "@" not in parseaddr(value)[1]:
        raise ValueError(f"a mail address, such as Atelier <post@example.com>, not {value!r}")
    return str(value)


def web_address(value: Any) -> str:
    """Return where a site is: scheme and host, without a path."""
    try:
        parts = urlsplit(value)
        is_site = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        if is_site and parts.path in ("", "/") and parts.port != 0:
            return str(value).rstrip("/")
    except ValueError:
        pass
    raise ValueError("an address such as https://example.com, with its scheme and without a path")


def folder_address(value: Any) -> str:
    """Return the beginning of addresses, on this site ("/media/") or another one."""
    text = str(value).rstrip("/") + "/"
    if not text.startswith(("/", "http://", "https://")):
        raise ValueError("a path such as /media/, or an address such as https://cdn.example.com/")
    return text


def service(example: str) -> Cast:
    """Accept addresses of the example's scheme, also with TLS ("s" at its end), one or several divided by ";"."""
    scheme = urlsplit(example).scheme

    def cast(value: Any) -> str:
        for address in filter(None, str(value).split(";")):
            _check_service(address, scheme, example)
        return str(value)

    return cast


def _check_service(address: str, scheme: str, example: str) -> None:
    try:
        parts = urlsplit(address)
        if parts.scheme in (scheme, f"{scheme}s") and parts.hostname and parts.port != 0:
            return
    except ValueError:  # a port that is no number
        pass
    raise ValueError(f"an address such as {example}")


def database(value: Any) -> str:
    scheme = str(value).partition(":")[0]
    if scheme not in ("", "sqlite", "postgres", "postgresql"):
        raise ValueError("an address such as postgres://user:password@host:5432/name, or sqlite:///a/file")
    return str(value)


def optional(cast: Cast) -> Cast:
    return lambda value: cast(value) if value else value


# --- Places ----------------------------------------------------------------------------------------------------------


def own_folder(path: Path) -> Path:
    """Make the folder, for nobody but us: it holds people's addresses, invoices and keys. What stands is left as it is."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"The folder {path} cannot be made: {error.strerror}. See VAR_DIR.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"The folder {path} cannot be written. See VAR_DIR.")
    return path
