"""What the web server does before the first request: one that would be unsafe does not start."""

import gc
import sys
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.db.backends.signals import connection_created

from core.stores.databases import expect_answers

AT_START = "at start"  # the tag of a check that asks the database: before the site starts, but not before each command


def refuse_unsafe_start() -> None:
    """End this process with what is wrong in words, as `manage.py` does before each command."""
    messages = [*run_checks(), *run_checks(tags=[AT_START], include_deployment_checks=True)]
    errors = [message for message in messages if message.is_serious(ERROR)]
    if errors:
        sys.exit("\n".join(["The site does not start:", *map(str, errors)]))


def limit_waiting() -> None:
    """Let no page of this process wait for ever; what runs in a worker or by hand may ask for more than a page."""
    connection_created.connect(_limit, dispatch_uid="core.serving.start")


def leave_out_of_collections() -> None:
    """Tell the garbage collector that what is loaded now stays: a full collection walked it for 0.3 s, amid a page."""
    gc.collect()
    gc.freeze()


def _limit(*, connection: Any, **kwargs: Any) -> None:
    if connection.vendor == "postgresql":
        expect_answers(connection.connection, settings.DATABASE_TIMEOUT)
