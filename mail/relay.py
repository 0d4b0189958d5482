"""
Background work, in the size the site runs at: Celery when there is a broker, else threads of this process.

Either way the call is only a hint. What must happen is a row in the database, and a sweep (settings.SWEEPS) finds the
rows whose hint was lost; a task is therefore safe to run twice, and an error on the way to the broker is logged and
forgotten.

In tests nothing runs behind the test's back: conftest.py's fixture `inline_relay` makes the hand-over call the task at
once, in the same thread, and lets its error through. So

    with self.captureOnCommitCallbacks(execute=True):   # in a TestCase, which never commits
        place_order(...)

has sent the mail when the block ends, and in a TransactionTestCase it is sent at the commit. A test that wants the
threads or a broker defines a fixture of the same name that does nothing, in its own module.
"""

import atexit
import logging
import os
import queue
import threading
import time
from functools import partial
from typing import Any

from django.conf import settings
from django.db import close_old_connections, transaction

from config.logs import belonging_to, current_request_id

logger = logging.getLogger(__name__)

THREADS = 2
SECONDS_BROKER_REST = 30.0  # how long a broker that failed is left alone, so that it costs few pages its time-out

_broker_retry_at = 0.0


def soon(task: Any, *args: Any) -> None:
    """Run the Celery task with these (JSON-able) arguments after the current transaction commits."""
    transaction.on_commit(partial(hand_over, task, args), robust=True)


def hand_over(task: Any, args: tuple[Any, ...]) -> None:
    if settings.CELERY_BROKER_URL:
        _publish(task, args)
    else:
        _threads.put(task, args)


def _publish(task: Any, args: tuple[Any, ...]) -> None:
    global _broker_retry_at
    if time.monotonic() < _broker_retry_at:
        return
    try:
        task.apply_async(args)
    except Exception as error:  # any transport's error means the same here
        _broker_retry_at = time.monotonic() + SECONDS_BROKER_REST
        logger.warning("%s%r was not published, the sweep will find it: %s", task.name, args, error)


class Threads:
    """
    A queue and a few daemon threads, started with the first task.

    At the end of the process what waits is dropped (the sweep of the next one finds it) and what runs may finish; a
    ThreadPoolExecutor would make the exit wait for the whole queue instead.
    """

    def __init__(self, size: int = THREADS) -> None:
        self._size = size
        self._waiting: queue.SimpleQueue[tuple[str, Any, tuple[Any, ...]]] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._is_started = False
        self._is_closed = False
        self._busy = [threading.Lock() for _ in range(size)]

    def put(self, task: Any, args: tuple[Any, ...]) -> None:
        self._start()
        self._waiting.put((current_request_id.get(), task, args))

    def _start(self) -> None:
        with self._starting:
            if self._is_started:
                return
            for number, busy in enumerate(self._busy):
                threading.Thread(target=self._work, args=[busy], name=f"relay-{number}", daemon=True).start()
            atexit.register(self.close)
            self._is_started = True

    def _work(self, busy: threading.Lock) -> None:
        while True:
            request_id, task, args = self._waiting.get()
            with busy, belonging_to(request_id):
                if self._is_closed:
                    return
                run(task, args)

    def close(self, seconds: float | None = None) -> None:
        """Start nothing more and wait for what runs, settings.SECONDS_TO_FINISH at most."""
        self._is_closed = True
        until = time.monotonic() + (settings.SECONDS_TO_FINISH if seconds is None else seconds)
        for busy in self._busy:
            busy.acquire(timeout=max(0, until - time.monotonic()))


_threads = Threads()


def _forget_threads() -> None:
    global _threads
    _threads = Threads()


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
