"""The sweeps of settings.SWEEPS: tasks that find the rows the world forgot, run here without a broker."""

import logging
import threading
import time
from collections.abc import Iterable

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django.utils.module_loading import import_string

from .logs import belonging_to

logger = logging.getLogger(__name__)

STEP = 5.0  # seconds between two looks at the clock


def run(names: Iterable[str]) -> list[str]:
    """Run the sweeps and return the names of those that failed; one failure does not stop the others."""
    failed = []
    for name in names:
        close_old_connections()
        try:
            with belonging_to(name):
                import_string(name)()
        except Exception:
            logger.exception("Sweep %s failed", name)
            failed.append(name)
        note(name, has_failed=name in failed)
    close_old_connections()
    return failed


def note(name: str, *, has_failed: bool) -> None:
    """Remember that a sweep has just ended, for the admin and for config/metrics.py."""
    from .models import SweepRun

    try:
        SweepRun.objects.update_or_create(name=name, defaults={"ended_at": timezone.now(), "has_failed": has_failed})
    except DatabaseError as error:
        logger.warning("The end of sweep %s was not noted: %s", name, error)


def run_on_time(stop: threading.Event) -> None:
    """Run every sweep now, and again whenever its seconds have passed, until `stop` is set."""
    due = dict.fromkeys(settings.SWEEPS, 0.0)
    while not stop.is_set():
        for name, at in due.items():
            if at <= time.monotonic():
                run([name])
                due[name] = time.monotonic() + settings.SWEEPS[name]
        stop.wait(STEP)
