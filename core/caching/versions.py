"""
When each table last changed, known to every process of this host without asking the database.

What is kept in memory (core/caching/pages.py, core/caching/memory.py) remembers the versions of the tables it was made
from; one that has changed since makes it old. Both are seen on the connection itself: which tables are read while a
page is made, and which are written; so no page has to say what it is made from, and a bulk update, raw SQL or a data
migration counts like a form in the admin does. A version is set after the commit.

Versions lie in a small memory-mapped file. Its layout does not depend on which tables there are: during an upgrade the
old release and the new one set the same versions. Several hosts: with Redis a changed version is announced to the
others, who set theirs. The announcement may be lost, and a process may die between its commit and the version; whatever
is kept therefore never lives longer than MAX_AGE (core/caching/pages.py).
"""

import mmap
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4
from weakref import WeakValueDictionary
from zlib import crc32

from django.conf import settings
from django.db import models

from core.stores import redisstore

from .statements import EVERYTHING, effect_of

SENDER = uuid4().hex  # one's own announcement, heard a moment later, would make a page old that was just made anew

# --- Versions ---------------------------------------------------------------------------------------------------------


class TableVersions:
    """One number for each table, shared by the processes of this host; a change is any other number than before."""

    # Another number of slots, or another way to find one, is another layout and takes another name.
    FILE = "freshness-2"
    SLOTS = 8192  # of 8 bytes; two tables that share one only make each other's pages old

    def __init__(self, folder: Path) -> None:
        size = self.SLOTS * 8
        with (folder / self.FILE).open("a+b") as file:
            file.truncate(size)  # which leaves one of this size as it is
            self._memory = mmap.mmap(file.fileno(), size)
        self._slots = memoryview(self._memory).cast("Q")

    def all(self) -> Sequence[int]:
        """Return every version as it is now, for `of` to look at later."""
        return memoryview(bytes(self._memory)).cast("Q")

    def of(self, tables: Iterable[str], then: Sequence[int] | None = None) -> tuple[int, ...]:
        """Return the versions of the tables, as they are or as they were then."""
        slots = self._slots if then is None else then
        return tuple(slots[slot_of(table)] for table in (EVERYTHING, *tables))

    def change(self, table: str) -> None:
        # The clock instead of +1: two processes that change at once need no lock to write something new.
        self._slots[slot_of(table)] = time.time_ns()


def slot_of(table: str) -> int:
    return crc32(table.encode()) % TableVersions.SLOTS


@cache
def table_versions() -> TableVersions:
    return TableVersions(settings.VAR_DIR)


# --- What is read ---------------------------------------------------------------------------------------------------

_reading: ContextVar[set[str] | None] = ContextVar("tables read", default=None)


@contextmanager
def recorded() -> Iterator[set[str]]:
    """Collect the tables that this thread reads within the block; a block around it has read them too."""
    outer, tables = _reading.get(), set[str]()
    token = _reading.set(tables)
    try:
        yield tables
    finally:
        _reading.reset(token)
        if outer is not None:
            outer |= tables


def note_reading(tables: Iterable[str]) -> None:
    recording = _reading.get()
    if recording is not None:
        recording.update(tables)


def reads(model: type[models.Model]) -> None:
    """Say that what comes now is made from this model's rows, where they were not asked for: Redis had it."""
    note_reading((model._meta.db_table,))


# --- What is written ------------------------------------------------------------------------------------------------


def watch(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001
    """Wrap every statement of a connection (Django's execute_wrapper): after a write commits, its tables have changed."""
    effect = effect_of(sql)
    note_reading(effect.reads)
    result = execute(sql, params, many, context)
    for table in effect.writes:
        note_write(table, context["connection"])
    return result


class Change:
    """Held by the transaction until it has committed; one that is rolled back, or a savepoint of it, lets go of it."""

    def __init__(self, key: tuple[int, str]) -> None:
        self.key = key

    def tell(self) -> None:
        _noted.pop(self.key, None)  # the next write is another change, though an error's traceback may hold this one
        changed(self.key[1])


# An import writes thousands of rows: each table is noted once. A change stands here as long as its transaction holds
# it.
_noted: WeakValueDictionary[tuple[int, str], Change] = WeakValueDictionary()


def note_write(table: str, connection: Any) -> None:
    key = (id(connection), table)
    if key not in _noted:
        _noted[key] = change = Change(key)
        connection.on_commit(change.tell, robust=True)  # a method: Django logs its error under its __qualname__


def watch_connection(*, connection: Any, **kwargs: Any) -> None:
    """Receive Django's connection_created."""
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.append(watch)


def changed(table: str) -> None:
    """Make old what was made from this table, here and, with Redis, on the other hosts."""
    table_versions().change(table)
    if settings.REDIS_URL:
        # MAX_AGE is the net under a lost announcement.
        redisstore.ask(lambda redis: redis.publish(channel(), f"{SENDER} {table}"))


# --- Other hosts ----------------------------------------------------------------------------------------------------


def channel() -> str:
    """Return where this site's hosts meet: sites on one Redis have a database each, which messages know nothing of."""
    return f"atelier:changed:{urlsplit(settings.REDIS_URL).path.strip('/')}"


def listen() -> None:
    """Take in the other hosts' announcements, in a thread; once in each process that serves pages."""
    if settings.REDIS_URL:
        threading.Thread(target=redisstore.hear, args=(channel(), _take_in), daemon=True, name="versions").start()


def _take_in(message: str) -> None:
    sender, _, table = message.partition(" ")
    if sender != SENDER:
        table_versions().change(table)
