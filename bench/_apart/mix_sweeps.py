"""
The site's background work during bench/mix.py: what is swept each minute, but for what calls on other people's servers.

It runs in the tree of the revision that is measured, beside its web server; its CPU is not the web server's.
"""

import time

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402

ELSEWHERE = ("payment.", "mail.", "images.")
EVERY, AFTER = 60, 5  # seconds


def main() -> None:
    tasks = [name for name, seconds in settings.SWEEPS.items() if seconds <= EVERY and not name.startswith(ELSEWHERE)]
    time.sleep(AFTER)
    while True:
        for name in tasks:
            import_string(name)()
        time.sleep(EVERY)


if __name__ == "__main__":
    main()
