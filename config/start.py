"""A server that would be unsafe does not start."""

import sys

from django.core.checks import ERROR, run_checks

from .checks import demo_logins_are_gone


def refuse_unsafe_start() -> None:
    """End this process with what is wrong in words, as `manage.py` does before each command."""
    errors = [message for message in [*run_checks(), *demo_logins_are_gone()] if message.is_serious(ERROR)]
    if errors:
        sys.exit("\n".join(["The site does not start:", *map(str, errors)]))
