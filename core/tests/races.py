"""
Many at once: threads with a database connection each, for tests with `transaction=True`.

Threads overlap only by luck, which is enough for a test that must pass. A twin, which has the guard taken out and must
go wrong, needs more: a Meeting between its read and its write, where nobody goes on before all of them have read.
"""

import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from threading import Barrier, BrokenBarrierError, Thread
from time import monotonic
from typing import Any
from unittest.mock import patch

from django.db import connection, connections
from django.db.models import Model, QuerySet

MOST = 20  # PostgreSQL lets 100 in as it comes, and two test processes run side by side
MEETING_SECONDS = 200
PATIENCE_SECONDS = 400  # before pytest's own limit, which would not say where the threads hang


class Meeting:
    """A place where each thread waits until `number` of them are there; it can be used again and again."""

    def __init__(self, number: int) -> None:
        self.barrier = Barrier(number)

    def wait(self) -> None:
        try:
            self.barrier.wait(timeout=MEETING_SECONDS)
        except BrokenBarrierError:
            expected = self.barrier.parties
            raise AssertionError(f"fewer than {expected} threads came to the meeting: one failed or was held") from None

    def after(self, read: Callable[..., Any]) -> Callable[..., Any]:
        """Return `read` with the meeting behind it, to be patched in where a twin looks before it writes."""

        @wraps(read)
        def reads_and_waits(*args: Any, **kwargs: Any) -> Any:
            answer = read(*args, **kwargs)
            self.wait()
            return answer

        return reads_and_waits


def look_then_write(meeting: Meeting, model: type[Model] | None = None) -> Callable[..., int]:
    """
    Return an `update` for a query set that has lost its guard: it looks for its rows and writes when all have looked.

    With `model` it may stand in for that of Django's QuerySet itself, and leaves those of other models alone.
    """
    write = QuerySet.update

    def update(rows: QuerySet, **values: Any) -> int:
        if model is not None and rows.model is not model:
            return write(rows, **values)
        seen = list(rows.values_list("pk", flat=True))
        meeting.wait()
        return write(rows.model._base_manager.filter(pk__in=seen), **values)

    return update


def race(act: Callable[[int], object], number: int) -> list[Exception]:
    """Call `act(0)` … `act(number - 1)` at the same moment and return what they raised."""
    _, errors = _run([lambda index=index: act(index) for index in range(number)])
    return errors


def all_at_once(act: Callable[[Any], Any], people: Iterable[Any]) -> list[Any]:
    """Call `act` for each of the people at the same moment and return the answers; raise the first error."""
    answers, errors = _run([lambda person=person: act(person) for person in people])
    if errors:
        raise errors[0]
    return answers


def no_transaction(*args: object, **kwargs: object) -> AbstractContextManager[None]:
    """Stand in for transaction.atomic where a twin must let threads meet: SQLite's would let one in at a time."""
    return nullcontext()


def many_writers(module: str) -> AbstractContextManager[object]:
    """Take the transactions out of a module on SQLite, where they let one thread in at a time and nobody could meet."""
    return patch(f"{module}.transaction.atomic", no_transaction) if connection.vendor == "sqlite" else nullcontext()


def _run(acts: list[Callable[[], Any]]) -> tuple[list[Any], list[Exception]]:
    assert len(acts) <= MOST, f"{len(acts)} threads are more than {MOST}; let each do more"
    start, answers, errors = Meeting(len(acts)), [None] * len(acts), []

    def run(index: int) -> None:
        try:
            start.wait()
            answers[index] = acts[index]()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(index,), daemon=True) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    _join(threads)
    return answers, errors


def _join(threads: list[Thread]) -> None:
    until = monotonic() + PATIENCE_SECONDS
    for thread in threads:
        thread.join(timeout=max(0, until - monotonic()))
    if stuck := [thread for thread in threads if thread.is_alive()]:
        place = sys._current_frames().get(stuck[0].ident or 0)
        raise AssertionError(
            f"{len(stuck)} of {len(threads)} threads hang, at:\n{''.join(traceback.format_stack(place))}"
        )
