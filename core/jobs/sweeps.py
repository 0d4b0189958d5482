"""
The sweeps of settings.SWEEPS: tasks that find the rows the world forgot.

When each is due stands in the database, so it does not matter who asks, how often, or whether they have asked before:
beat through a worker, the thread of `make run`, `manage.py tick` from cron. Whoever claims a sweep first runs it.
"""

import logging
import math
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections, connections
from django.utils import timezone
from django.utils.module_loading import import_string

from core.models import SweepRun
from core.web.logs import belonging_to

logger = logging.getLogger(__name__)

STEP = 5.0  # seconds between two looks at what is due
LEASE = timedelta(minutes=15)  # after which a rare sweep that never ended, or that failed, is due again
LATE = timedelta(minutes=10)


def run(names: Iterable[str]) -> list[str]:
    """Run the sweeps, due or not, and return the names of those that failed; one failure does not stop the others."""
    return [name for name in names if not _run_one(name, is_forced=True)]


def run_due(names: Iterable[str]) -> list[str]:
    """Run those that are due and that nobody else has claimed, and return the names of those that failed."""
    return [name for name in names if not _run_one(name, is_forced=False)]


def _run_one(name: str, *, is_forced: bool) -> bool:
    close_old_connections()
    try:
        began, claimed = timezone.now(), claim(name, is_forced=is_forced)
        if not claimed:
            return True
        is_done = _act(name)
        note(name, has_failed=not is_done, began=began, claimed=claimed)
    except Error as error:
        logger.warning("Sweep %s could not be claimed or noted: %s", name, error)
        return False
    finally:
        close_old_connections()
    return is_done


def _act(name: str) -> bool:
    try:
        with belonging_to(name):
            import_string(name)()
    except Exception:
        logger.exception("Sweep %s failed", name)
        return False
    return True


def interval(name: str) -> timedelta:
    """Return after what time a sweep is due again: a little early, for neither cron nor a queue is on the second."""
    seconds = settings.SWEEPS.get(name, 60)
    return timedelta(seconds=seconds - min(5, seconds / 10))


def claim(name: str, *, is_forced: bool = False) -> datetime | None:
    """
    Take the sweep if it is due, by one conditional update, so that of two who ask at once one gets it.

    The answer is when it is due again should this process die; `note` puts off a rare one that has ended well.
    """
    now = timezone.now()
    run, _is_new = SweepRun.objects.get_or_create(name=name, defaults={"due_at": now})
    until = now + min(interval(name), LEASE)
    rows = SweepRun.objects.filter(name=run.name)
    due = rows if is_forced else rows.due(now, interval(name))
    return until if due.update(due_at=until) else None


def note(name: str, *, has_failed: bool, began: datetime | None = None, claimed: datetime | None = None) -> None:
    """Remember that a sweep has just ended, for the admin and for core/web/metrics.py, and when it is due again."""
    ended: dict[str, Any] = {"ended_at": timezone.now(), "has_failed": has_failed}
    SweepRun.objects.update_or_create(name=name, defaults=ended)
    if began and claimed and not has_failed:
        # Unless it took so long that somebody else has claimed it meanwhile.
        SweepRun.objects.filter(name=name, due_at=claimed).update(due_at=began + interval(name))


def seconds_overdue(run: SweepRun | None, now: datetime) -> float:
    """Return since when it should have run; for ever if it never did."""
    if run is None or run.ended_at is None:
        return math.inf
    return max((now - run.due_at).total_seconds(), 0)


def late() -> list[str]:
    """Return the sweeps that somebody should have run ten minutes ago."""
    runs, now = SweepRun.objects.in_bulk(), timezone.now()
    return [name for name in settings.SWEEPS if seconds_overdue(runs.get(name), now) > LATE.total_seconds()]


def run_on_time(stop: threading.Event) -> None:
    """Run every sweep as soon as it is due until `stop` is set, each in a thread, so that a slow one delays no other."""
    threads: dict[str, threading.Thread] = {}
    while not stop.is_set():
        for name in _due_names():
            if name not in threads or not threads[name].is_alive():
                threads[name] = threading.Thread(target=_run_in_thread, args=[name], name=name, daemon=True)
                threads[name].start()
        stop.wait(STEP)
    until = time.monotonic() + settings.SECONDS_TO_FINISH
    for thread in threads.values():
        thread.join(max(0, until - time.monotonic()))
    connections.close_all()


def _due_names() -> list[str]:
    close_old_connections()
    try:
        due_at, now = dict(SweepRun.objects.values_list("name", "due_at")), timezone.now()
    except Error as error:
        logger.warning("What is due is not known: %s", error)
        return []
    return [name for name in settings.SWEEPS if not now < due_at.get(name, now) <= now + 2 * interval(name)]


def _run_in_thread(name: str) -> None:
    try:
        run_due([name])
    finally:
        connections.close_all()
