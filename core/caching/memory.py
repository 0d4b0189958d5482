"""
Parts of pages and answers to questions, kept in the process's memory for the pages that are made anew.

Whole pages are kept for visitors without a session (core/caching/pages.py). Everybody else's page is made of its own
rows, but most of what stands around them is what it was a moment ago. There are two reasons why a kept thing may be
used again, and a thing is kept for one of them:

- All that it shows is part of its key, so that it is never old: a card kept under the fields that it shows.
- Nothing that was read to make it has changed since (core/caching/versions.py), and it was made a minute ago at most.

Templates keep for the first reason, by `{% fragment by … %}` and `{% fragment_each %}`
(core/templatetags/fragments.py): what they show was read before they are asked. The second is for questions.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection

from .lifetime import Life, life
from .routers import from_primary
from .versions import Readings, note_reading, recorded, versions

MOST = 5000  # parts; a card has about 1 KB

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Answer(Generic[Thing]):
    thing: Thing
    readings: Readings
    life: Life


_entries: dict[Hashable, Any] = {}
_lock = threading.Lock()


def cached(key: Hashable, make: Callable[[], Thing]) -> Thing:
    """Return the answer that was kept under the key while its tables are as they were, or make and keep it."""
    if connection.in_atomic_block:
        # A transaction may see rows that nobody else sees yet, or ever will.
        return make()
    found: Answer[Thing] | None = _entries.get(key)
    if found and found.life.goes_on:
        note_reading(found.readings)
        return found.thing
    # Looked at before the answer is made: a write in the meantime makes it old, not wrong.
    now = versions().now()
    with from_primary(), recorded() as readings:
        thing = make()
        answer = Answer(thing, readings, life(readings, now))
    _put(key, answer)
    return thing


def cached_shown(key: Hashable, make: Callable[[], Thing]) -> Thing:
    """Return what was kept under the key, which names all that it shows, or make it; what has to ask is not kept."""
    found: Thing | None = _entries.get(key)
    if found is not None:
        return found
    with recorded() as readings:
        thing = make()
    if not readings:
        _put(key, thing)
    return thing


def _put(key: Hashable, entry: Any) -> None:
    with _lock:
        _entries.pop(key, None)
        _entries[key] = entry
        while len(_entries) > MOST:
            del _entries[next(iter(_entries))]  # the oldest; wanted again, it costs one rendering


def clear() -> None:
    """Drop everything, as a new process would; for tests, which change settings under a running site."""
    with _lock:
        _entries.clear()
