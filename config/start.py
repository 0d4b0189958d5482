"""What the web server does before the first request: one that would be unsafe does not start."""

import sys
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.db.backends.signals import connection_created

from .checks import demo_logins_are_gone
from .databases import expect_answers


def refuse_unsafe_start() -> None:
    """End this process with what is wrong in words, as `manage.py` does before each command."""
    errors = [message for message in [*run_checks(), *demo_logins_are_gone()] if message.is_serious(ERROR)]
    if errors:
        sys.exit("\n".join(["The site does not start:", *map(str, errors)]))


def limit_waiting() -> None:
    """Let no page of this process wait for ever; what runs in a worker or by hand may ask for more than a page."""
    connection_created.connect(_limit, dispatch_uid="config.start")


def _limit(*, connection: Any, **kwargs: Any) -> None:
    if connection.vendor == "postgresql":
        expect_answers(connection.connection, settings.DATABASE_TIMEOUT)
