"""
Parts of pages and answers to questions, kept in the process's memory for the pages that are made anew.

Whole pages are kept for visitors without a session (config/pagecache.py). Everybody else's page is made of its own rows,
but most of what stands around them is what it was a moment ago. There are two reasons why a kept thing may be used
again, and a thing is kept for one of them:

- All that it shows is part of its key, so that it is never old: a card kept under the row that it shows.
- It was made from tables that have not changed since (config/freshness.py), at most MAX_AGE ago.

Templates keep for the first reason, by `{% kept by … %}` and `{% kept_each %}` (config/templatetags/kept.py): what they
show was read before they are asked. The second is for questions, which `make` asks after the stamps were read.
"""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.db import connection

from .freshness import stamps
from .pagecache import MAX_AGE
from .routers import from_primary

MOST = 5000  # parts; a card has about 1 KB

Thing = TypeVar("Thing")
type_kept = tuple[Any, tuple[int, ...], float]  # what, the stamps of its tables, when

_kept: dict[Hashable, type_kept] = {}
_lock = threading.Lock()


def keep(key: Hashable, made_from: tuple[str, ...], make: Callable[[], Thing]) -> Thing:
    """Return what was kept under the key if it still holds, or make and keep it; without tables it holds for ever."""
    if made_from and connection.in_atomic_block:
        # A transaction may see rows that nobody else sees yet, or ever will.
        return make()
    # Read before the thing is made: a write in the meantime makes it old, not wrong.
    now = stamps().of(made_from)
    found = _kept.get(key)
    if found and found[1] == now and (not made_from or time.monotonic() - found[2] < MAX_AGE):
        return found[0]
    with from_primary():
        thing = make()
    with _lock:
        _kept.pop(key, None)
        _kept[key] = (thing, now, time.monotonic())
        while len(_kept) > MOST:
            del _kept[next(iter(_kept))]  # the oldest; wanted again, it costs one rendering
    return thing


def forget_all() -> None:
    """Drop everything, as a new process would; for tests, which change settings under a running site."""
    with _lock:
        _kept.clear()
