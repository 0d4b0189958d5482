"""
Background work, in the size the site runs at: Celery when there is a broker, else threads of this process.

Either way the call is only a hint. What must happen is a row in the database, and a sweep (settings.SWEEPS) finds the
rows whose hint was lost; a task is therefore safe to run twice, and an error on the way to the broker is logged and
forgotten. No page waits for the broker: what is to be published goes to a thread, and while the broker is left alone
after a failure, nowhere.

Each app has threads of its own, so that mails and payments wait for no slow picture. With a broker, settings.py sends
the pictures to a queue of their own.
"""

import atexit
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import current_task
from django.conf import settings
from django.db import close_old_connections, transaction
from django.utils.module_loading import import_string

from core.stores.breaker import Breaker
from core.web.logs import belonging_to, current_request_id

from . import transactions

logger = logging.getLogger(__name__)
Act = Callable[[Any, tuple[Any, ...]], None]

THREADS = 2
MOST_UNPUBLISHED = 10_000  # hints that wait for a slow broker; what is beyond is left to the sweeps

broker = Breaker("The broker", (Exception,), rest=10.0)  # any transport's error means the same here


def delay_on_commit(name: str, *args: Any) -> None:
    """
    Run the Celery task of this name with these (JSON-able) arguments after the current transaction commits.

    Raises TransactionManagementError outside one: whoever wrote nothing that could be rolled back calls delay().
    By its name, "mail.tasks.deliver_mail": what asks for a task is often called by it, and would import itself.
    """
    transactions.require("Background work")
    # No partial: Django logs a robust hook's error under its __qualname__, and fails where there is none.
    transaction.on_commit(lambda: delay(name, *args), robust=True)


def delay(name: str, *args: Any) -> None:
    """Run the task of this name now, behind this thread's back; for rows that are committed already."""
    start(import_string(name), args)


def start(task: Any, args: tuple[Any, ...]) -> None:
    if not settings.CELERY_BROKER_URL:
        lane(task.name.partition(".")[0]).put(task, args)
    elif current_task:
        publish(task, args)  # a worker's process may end with its task, and no page waits for it
    elif (publisher := lane("broker", publish, size=1)).waiting < MOST_UNPUBLISHED:
        publisher.put(task, args)


def publish(task: Any, args: tuple[Any, ...]) -> None:
    """Give the task to the broker, unless that has just failed; a hint that is lost is found by a sweep."""
    broker.call(lambda: task.apply_async(args), None)


class Threads:
    """
    A queue and a few daemon threads, started with the first task.

    At the end of the process what waits is dropped (the sweep of the next one finds it) and what runs may finish; a
    ThreadPoolExecutor would make the exit wait for the whole queue instead.
    """

    def __init__(self, act: Act | None = None, size: int = THREADS) -> None:
        self._act = act or run
        self._waiting: queue.SimpleQueue[tuple[str, Any, tuple[Any, ...]]] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._is_started = False
        self._is_closed = False
        self._busy = [threading.Lock() for _ in range(size)]

    @property
    def waiting(self) -> int:
        return self._waiting.qsize()

    def put(self, task: Any, args: tuple[Any, ...]) -> None:
        self._start()
        self._waiting.put((current_request_id.get(), task, args))

    def _start(self) -> None:
        with self._starting:
            if self._is_started:
                return
            for number, busy in enumerate(self._busy):
                threading.Thread(target=self._work, args=[busy], name=f"background-{number}", daemon=True).start()
            self._is_started = True

    def _work(self, busy: threading.Lock) -> None:
        while True:
            request_id, task, args = self._waiting.get()
            with busy, belonging_to(request_id):
                if self._is_closed:
                    return
                try:
                    self._act(task, args)
                except Exception:  # or nothing would ever run in this thread again
                    logger.exception("%r%r could not be started", task, args)

    def drop(self) -> None:
        """Start nothing more."""
        self._is_closed = True

    def join(self, until: float) -> None:
        """Wait for what runs, but no longer than to this moment (of time.monotonic)."""
        for busy in self._busy:
            busy.acquire(timeout=max(0, until - time.monotonic()))


_lanes: dict[str, Threads] = {}
_making = threading.Lock()


def lane(name: str, act: Act | None = None, size: int = THREADS) -> Threads:
    """Return the threads of this name, which wait for those of no other."""
    with _making:
        return _lanes.setdefault(name, Threads(act, size))


@atexit.register
def close() -> None:
    """Publish what waits for the broker, and let what runs finish, for settings.SECONDS_TO_FINISH at most."""
    if not _lanes:
        return
    until = time.monotonic() + settings.SECONDS_TO_FINISH
    while "broker" in _lanes and _lanes["broker"].waiting and time.monotonic() < until:
        time.sleep(0.01)
    for threads in _lanes.values():
        threads.drop()
    for threads in _lanes.values():
        threads.join(until)


def _forget_threads() -> None:
    global _making
    _making = threading.Lock()
    _lanes.clear()


os.register_at_fork(after_in_child=_forget_threads)  # a forked child has the parent's queue but not its threads


def run(task: Any, args: tuple[Any, ...]) -> None:
    """Run a task in this thread with a database connection of its own; an error is logged, the sweep tries again."""
    close_old_connections()
    try:
        task(*args)
    except Exception:
        logger.exception("%s%r failed", task.name, args)
    finally:
        close_old_connections()
