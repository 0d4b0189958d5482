#!/usr/bin/env python
"""Django's command-line entry point."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError, InterfaceError

    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, DatabaseError, InterfaceError) as error:  # a sentence for people, not a traceback
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"{error}".strip() or type(error).__name__)


if __name__ == "__main__":
    main()
