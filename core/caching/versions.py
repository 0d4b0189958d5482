"""
When the database changed, in names that say what: what is kept knows by it whether it is still right.

A page may be used again while nothing that was read for it has changed. Both are seen on the connection itself, what is
read while a page is made and what is written (core/caching/statements.py tells it from the SQL); so no page has to say
what it is made from, and a bulk update, raw SQL or a data migration counts like a form in the admin does.

Changes are numbered as they are committed, and each name has the number of its last change. They lie in a small
memory-mapped file that all processes of this host share, found by name: during an upgrade the old release and the new
one set the same. Several hosts: with Redis a change is told to the others, who note it in theirs. That may be lost,
and a process may die between its commit and the note: the next one to begin makes everything old, and whatever is kept
has a last moment (core/caching/memory.py).
"""

import fcntl
import json
import mmap
import os
import threading
from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4
from weakref import WeakValueDictionary
from zlib import crc32

from django.conf import settings
from django.db import models

from core.stores import redisstore

from .columns import primary_key
from .statements import EVERYTHING, Names, Reading, effect_of, nobodys

SENDER = uuid4().hex  # one's own announcement, heard a moment later, would make a page old that was just made anew
MOST_NAMES = 1000  # an import that changes more than that changes everything
T = TypeVar("T")

# --- Versions ---------------------------------------------------------------------------------------------------------


class Versions:
    """The number of each name's last change, shared by the processes of this host."""

    # Another number of slots, or another way to find one, is another layout and takes another name.
    FILE = "versions-3"
    SLOTS = 1 << 20  # of 8 bytes, few of which are ever written; names that share one only make each other's pages old

    def __init__(self, folder: Path) -> None:
        size = self.SLOTS * 8
        self._file = os.open(folder / self.FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        # No hole: with the disk full, the kernel ends whoever writes into one. Where that cannot be said (macOS), a hole.
        getattr(os, "posix_fallocate", lambda file, _, size: os.ftruncate(file, size))(self._file, 0, size)
        self._slots = memoryview(mmap.mmap(self._file, size)).cast("Q")
        self._lock = threading.Lock()

    def now(self) -> int:
        """Return the number of the last change."""
        return self._slots[0]

    def last_change(self, slots: Iterable[int]) -> int:
        """Return the number of the last change of any of these, as `slots_of` found them."""
        return max(map(self._slots.__getitem__, slots))

    def change(self, names: Iterable[str]) -> None:
        with self._lock:  # between threads; the file's is between processes
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                number = self._slots[0] + 1
                for slot in map(slot_of, names):
                    self._slots[slot] = number
                self._slots[0] = number  # last: what is found right at this number is not looked at again
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)


def slot_of(name: str) -> int:
    return crc32(name.encode()) % (Versions.SLOTS - 1) + 1


def slots_of(names: Iterable[str]) -> "array[int]":
    return array("L", map(slot_of, {EVERYTHING, *names}))


@cache
def versions() -> Versions:
    return Versions(settings.VAR_DIR)


os.register_at_fork(after_in_child=versions.cache_clear)  # a lock on the parent's opened file would be its own, too


# --- What is read ---------------------------------------------------------------------------------------------------


class Recording:
    """What something is made from: tables, and answers that were kept (core/caching/memory.py)."""

    def __init__(self) -> None:
        self.tables: dict[str, Reading] = {}
        self.answers: dict[Hashable, Any] = {}  # and what each of them said

    @property
    def names(self) -> set[str]:
        return set().union(*(reading.all for reading in self.tables.values()))

    def add(self, tables: dict[str, Reading]) -> None:
        for table, reading in tables.items():
            known = self.tables.get(table)
            self.tables[table] = (
                Reading(known.all | reading.all, known.deciding | reading.deciding) if known else reading
            )


_recording: ContextVar[Recording | None] = ContextVar("what is read", default=None)


@contextmanager
def recorded() -> Iterator[Recording]:
    """Collect what this thread reads within the block; for a block around it, it is not read by that."""
    recording = Recording()
    token = _recording.set(recording)
    try:
        yield recording
    finally:
        _recording.reset(token)


def note_reading(tables: dict[str, Reading]) -> None:
    if recording := _recording.get():
        recording.add(tables)


def note_recording(inner: Recording) -> None:
    """Count what an inner block has read as read by the one around it."""
    if outer := _recording.get():
        outer.add(inner.tables)
        outer.answers = inner.answers | outer.answers


def note_answer(key: Hashable, words: Any) -> None:
    if recording := _recording.get():
        recording.answers.setdefault(key, words)  # asked twice, the first is what a part of the page shows


def reads(model: type[models.Model]) -> None:
    """Say that what comes now is made from this model's rows, where they were not asked for: Redis had it."""
    table = model._meta.db_table
    names = frozenset({table, f"{table}.*"})
    note_reading({table: Reading(names, names)})


def shown_rows(table: str, ask: Callable[[], T], keys: Callable[[T], Iterable[Any]]) -> T:
    """
    Return what `ask` finds: rows of the table, of which `keys` gives the primary keys.

    What is made of them depends on these rows, and on the table only in what decides that they are the ones: a like
    makes the lists old that show the picture, and no others.
    """
    with recorded() as recording:
        found = ask()
    column = primary_key(table)
    rows = nobodys(table, {column}) | {f"{table}.{column}={key}" for key in keys(found)}
    if table in recording.tables:
        recording.tables[table] = Reading(*[recording.tables[table].deciding | rows] * 2)
    note_recording(recording)
    return found


def keys_of(found: Iterable[Any]) -> list[Any]:
    return [row.pk for row in found]


def rows_with(table: str, column: str, value: Any, ask: Callable[[], T]) -> T:
    """Return what `ask` finds among the table's rows with this value in a foreign key: other rows may come and go."""
    with recorded() as recording:
        found = ask()
    rows = nobodys(table, {column}) | {f"{table}.{column}={value}"}
    recording.tables[table] = Reading(*(names - {table} | rows for names in recording.tables[table]))
    note_recording(recording)
    return found


# --- What is written ------------------------------------------------------------------------------------------------


def watch(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001
    """Wrap every statement of a connection (Django's execute_wrapper): after a write commits, it has changed something."""
    effect = effect_of(sql, None if many else params)
    note_reading(effect.reads)
    result = execute(sql, params, many, context)
    if effect.writes:
        note_write(effect.writes, context["connection"])
    return result


class Change:
    """Held by the transaction until it has committed; one that is rolled back, or a savepoint of it, lets go of it."""

    def __init__(self, connection: Any, names: Names) -> None:
        self.names = set(names)
        self._connection = id(connection)

    def tell(self) -> None:
        # The next write is another change, though an error's traceback may hold this one.
        _noted.pop(self._connection, None)
        changed(self.names if len(self.names) <= MOST_NAMES else {EVERYTHING})


# A transaction's change stands here as long as the transaction holds it: all that it writes is told together.
_noted: WeakValueDictionary[int, Change] = WeakValueDictionary()


def note_write(names: Names, connection: Any) -> None:
    change = _noted.get(id(connection))
    if change:
        change.names |= names
    else:
        _noted[id(connection)] = change = Change(connection, names)
        connection.on_commit(change.tell, robust=True)  # a method: Django logs its error under its __qualname__


def watch_connection(*, connection: Any, **kwargs: Any) -> None:
    """Receive Django's connection_created."""
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.append(watch)


def changed(names: Iterable[str]) -> None:
    """Make old what was made from these, here and, with Redis, on the other hosts."""
    versions().change(names)
    if settings.REDIS_URL:
        _announce(sorted(names))


# --- Other hosts ----------------------------------------------------------------------------------------------------

SECONDS_TO_TELL_AGAIN = 5.0
_to_tell_again = threading.Event()


def channel() -> str:
    """Return where this site's hosts meet: sites on one Redis have a database each, which messages know nothing of."""
    return f"atelier:changed:{urlsplit(settings.REDIS_URL).path.strip('/')}"


def _announce(names: list[str]) -> None:
    """Tell the other hosts; where that fails, tell them a little later that they may have missed anything."""
    message = f"{SENDER} {json.dumps(names)}"
    if redisstore.ask(lambda redis: redis.publish(channel(), message)) is None and not _to_tell_again.is_set():
        _to_tell_again.set()
        timer = threading.Timer(SECONDS_TO_TELL_AGAIN, _announce_again)
        timer.daemon = True
        timer.start()


def _announce_again() -> None:
    _to_tell_again.clear()
    _announce([EVERYTHING])


def are_hosts_heard() -> bool:
    """Tell whether what changes on other hosts is known here at once."""
    return not settings.REDIS_URL or redisstore.is_hearing()


def begin(**_: Any) -> None:
    """Trust nothing from before: the process whose place this one takes may have died with a change unsaid."""
    changed({EVERYTHING})


def listen() -> None:
    """Take in the other hosts' announcements, in a thread; once in each process that serves pages."""
    if settings.REDIS_URL:
        whom = channel(), _take_in, _missed
        threading.Thread(target=redisstore.hear, args=whom, daemon=True, name="versions").start()


def _take_in(message: str) -> None:
    sender, _, names = message.partition(" ")
    if sender != SENDER:
        versions().change(_names_in(names))


def _missed() -> None:
    """Do what is right when hearing begins: nobody knows what was said before."""
    versions().change([EVERYTHING])


def _names_in(text: str) -> list[str]:
    """Read an announcement; another release's, which says it in other words, may mean anything."""
    try:
        return [str(name) for name in json.loads(text)]
    except (ValueError, TypeError):
        return [EVERYTHING]
