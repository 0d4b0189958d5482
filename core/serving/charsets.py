"""
Forms in UTF-8, and no others.

Django reads query and form by the codec that the request names. Python has some that make no text, and with those no
request can even be made: so this stands before Django, as a WSGI application around its own.
"""

import codecs
from collections.abc import Callable, Iterable
from email.message import Message
from typing import Any


def only_utf8(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Let core.web.middleware.refuse_body answer 400 to a request that is written in anything else."""

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not is_utf8(environ.get("CONTENT_TYPE", "")):
            environ = {**environ, "CONTENT_TYPE": "", "CONTENT_LENGTH": "", "atelier.refused": 400}
        return application(environ, start_response)

    return wrapped


def is_utf8(content_type: str) -> bool:
    if "charset" not in content_type.lower():
        return True
    header = Message()
    header["Content-Type"] = content_type
    charset = str(header.get_param("charset", "utf-8"))
    try:
        return codecs.lookup(charset).name in ("utf-8", "ascii")
    except (LookupError, ValueError):
        return True  # nor does Django know it, and takes UTF-8
