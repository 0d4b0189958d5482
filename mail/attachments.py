"""
Files that mails carry, made when the mail is sent.

A mail row holds a reference such as "invoice:12"; the app that knows invoices registers how to turn "12" into bytes.
"""

from collections.abc import Callable
from typing import NamedTuple


class Attachment(NamedTuple):
    filename: str
    content: bytes
    mimetype: str


_makers: dict[str, Callable[[str], Attachment]] = {}


def register(kind: str, maker: Callable[[str], Attachment]) -> None:
    """Call from AppConfig.ready; `maker` gets what follows the colon and may take seconds or raise."""
    _makers[kind] = maker


def make(reference: str) -> Attachment:
    kind, _, identity = reference.partition(":")
    return _makers[kind](identity)
