"""The sweeps of settings.SWEEPS: tasks that find the rows the world forgot, run here without a broker."""

import logging
import threading
import time
from collections.abc import Iterable

from django.conf import settings
from django.db import close_old_connections
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

STEP = 5.0  # seconds between two looks at the clock


def run(names: Iterable[str]) -> list[str]:
    """Run the sweeps and return the names of those that failed; one failure does not stop the others."""
    failed = []
    for name in names:
        close_old_connections()
        try:
            import_string(name)()
        except Exception:
            logger.exception("Sweep %s failed", name)
            failed.append(name)
    close_old_connections()
    return failed


def run_on_time(stop: threading.Event) -> None:
    """Run every sweep now, and again whenever its seconds have passed, until `stop` is set."""
    due = dict.fromkeys(settings.SWEEPS, 0.0)
    while not stop.is_set():
        for name, at in due.items():
            if at <= time.monotonic():
                run([name])
                due[name] = time.monotonic() + settings.SWEEPS[name]
        stop.wait(STEP)
