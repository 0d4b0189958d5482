"""Send a post to somebody by e-mail, without becoming a relay for strangers' words."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest

from core.web.ratelimit import client_address, hit

from . import mails
from .models import Post

# What one visitor, one sender's address, one recipient, and all visitors together may do.
PER_VISITOR = ("5/h", "10/d")
PER_SENDER = "5/d"
PER_RECIPIENT = "3/d"
IN_ALL = "60/h"


class TooManyMails(Exception):
    """A limit was reached. The visitor is not told which: that would tell who else was written to."""


def share(post: Post, data: dict[str, Any], quoted_note: str, request: HttpRequest) -> None:
    """Write the mail; raise TooManyMails. The same share twice on a day is one mail."""
    if not _may(data, request):
        raise TooManyMails
    with transaction.atomic():
        mails.share(post, data, quoted_note)


def _may(data: dict[str, Any], request: HttpRequest) -> bool:
    limits = [
        *[("share", client_address(request), rate) for rate in PER_VISITOR],
        ("share-from", data["email"].lower(), PER_SENDER),
        ("share-to", data["to"].lower(), PER_RECIPIENT),
        ("share-all", "", IN_ALL),
    ]
    # all() stops at the first that is full, so a refused visitor does not use up anybody's share.
    return all(hit(scope, who, rate) for scope, who, rate in limits)
