"""
Parts of pages and answers to questions, kept in the process's memory for the pages that are made anew.

There are two reasons why a kept thing may be used again, and a thing is kept for one of them:

- All that it shows is part of its key: a card kept under the fields that it shows (core/templatetags/fragments.py).
- Nothing that was read to make it has changed since (core/caching/versions.py), for ten minutes at most: an answer. What
  is made from it depends on what it says: asked anew because a comment was left somewhere, the most commented posts are
  mostly the same, and so are the pages that name them.
"""

import os
import pickle
import threading
import time
from array import array
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from .routers import from_primary
from .versions import Recording, are_hosts_heard, note_answer, note_recording, recorded, slots_of, versions

MOST = 5000  # of each kind; a card has about 1 KB
# A process may die between its commit and the note of it; the next web process or worker to begin makes everything old.
MAX_AGE = 600.0  # seconds
MAX_AGE_UNHEARD = 15.0  # where a change on another host may be missed

Thing = TypeVar("Thing")

# --- How long a thing may be used -----------------------------------------------------------------------------------


@dataclass
class Life:
    """
    What something was made from and when, by which each process of this host can tell whether it is still right.

    `answers` are what the kept answers said from which it was made, by their keys.
    """

    slots: "array[int]"
    made_at: int  # the number of the last change before it was made
    answers: "dict[Hashable, Words]"
    since: float  # on the monotonic clock, which is the same for all processes of a host
    until: float
    right_at: int = -1  # the number of the last change when this was found right: it is until the next

    @property
    def goes_on(self) -> bool:
        return self._is_young and self._is_right(may_ask=False)

    def goes_on_when_asked(self) -> bool:
        """Tell the same, and ask again what may have another answer by now."""
        return self._is_young and self._is_right(may_ask=True)

    @property
    def _is_young(self) -> bool:
        now = time.monotonic()
        return now < self.until and (now - self.since < MAX_AGE_UNHEARD or are_hosts_heard())

    def _is_right(self, *, may_ask: bool) -> bool:
        number = versions().now()
        if number != self.right_at:
            if versions().last_change(self.slots) > self.made_at:
                return False
            if not all(still_says(key, words, may_ask=may_ask) for key, words in self.answers.items()):
                return False
            self.right_at = number
        return True


class Words(NamedTuple):
    """What an answer said, and how long it says so."""

    mark: bytes  # equal for things that are the same in all that they hold
    life: Life


def still_says(key: Hashable, words: Words, *, may_ask: bool) -> bool:
    if words.life.goes_on:
        return True
    answer = _answers.get(key)
    if answer is None:
        return False
    now = answer.asked() if may_ask else answer.now
    return now.words.mark == words.mark and now.words.life.goes_on


def life(recording: Recording, made_at: int) -> Life:
    """Return the life of what was made from these, after the change of that number."""
    answers = dict(recording.answers)
    for table in recording.tables.keys() & _next_changes.keys():
        answers["next change", table] = next_change(table).asked().words
    # No longer than the answers, so that their age need not be looked at each time.
    lives = [words.life for words in answers.values()]
    now = time.monotonic()
    since, until = min([now, *(each.since for each in lives)]), min([now + MAX_AGE, *(each.until for each in lives)])
    return Life(slots_of(recording.names), made_at, answers, since, until)


# --- Answers --------------------------------------------------------------------------------------------------------


class Said(NamedTuple):
    thing: Any
    words: Words


class Answer(Generic[Thing]):
    """What was found when a question was asked last. `ask` is called again and again: it must not keep what it found."""

    def __init__(self, ask: Callable[[], Thing]) -> None:
        self.ask = ask
        self.now = self._asked_anew()

    def asked(self) -> Said:
        if not self.now.words.life.goes_on_when_asked():
            self.now = self._asked_anew()
        return self.now

    def _asked_anew(self) -> Said:
        # Looked at before it is asked: a write in the meantime makes the answer old, not wrong.
        made_at = versions().now()
        with from_primary(), recorded() as recording:
            thing = self.ask()
        # A queryset that was evaluated before asks nothing, and says what it said then.
        has_asked = recording.tables or recording.answers
        mark = mark_of(thing) if has_asked else new_mark()
        return Said(thing, Words(mark, self.life(thing, recording, made_at)))

    def life(self, thing: Thing, recording: Recording, made_at: int) -> Life:
        return life(recording, made_at)


def mark_of(thing: Any) -> bytes:
    try:
        return sha256(pickle.dumps(thing)).digest()
    except (pickle.PicklingError, TypeError, AttributeError):
        return new_mark()


def new_mark() -> bytes:
    """Return a mark that nothing else has."""
    return os.urandom(32)


def cached(key: Hashable, ask: Callable[[], Thing]) -> Thing:
    """Return the answer that was kept under the key while it is right, or ask and keep it."""
    if connection.in_atomic_block:
        # A transaction may see rows that nobody else sees yet, or ever will.
        return ask()
    answer: Answer[Thing] = _answers.get(key) or _put(_answers, key, Answer(ask))
    answer.ask = ask
    said = answer.asked()
    note_answer(key, said.words)
    thing: Thing = said.thing
    return thing


# --- What comes by itself -------------------------------------------------------------------------------------------


class NextChange(Answer[datetime | None]):
    """When a row will appear or go though nothing is written: the answer lives until then."""

    def life(self, thing: datetime | None, recording: Recording, made_at: int) -> Life:
        now, seconds = time.monotonic(), (thing - timezone.now()).total_seconds() if thing else MAX_AGE
        return Life(slots_of(recording.names), made_at, {}, now, now + min(seconds, MAX_AGE))


_next_changes: dict[str, Callable[[], datetime | None]] = {}


def register_next_change(model: type[Model], ask: Callable[[], datetime | None]) -> None:
    """Have `ask` say when a row of the model will appear or go by itself next, such as a post at its hour."""
    _next_changes[model._meta.db_table] = ask


def next_change(table: str) -> Answer[datetime | None]:
    key = ("next change", table)
    return _answers.get(key) or _put(_answers, key, NextChange(_next_changes[table]))


# --- Parts ----------------------------------------------------------------------------------------------------------

_parts: dict[Hashable, Any] = {}
_answers: dict[Hashable, Answer[Any]] = {}
_lock = threading.Lock()


def cached_shown(key: Hashable, make: Callable[[], Thing]) -> Thing:
    """Return what was kept under the key, which names all that it shows, or make it; what has to ask is not kept."""
    found: Thing | None = _parts.get(key)
    if found is not None:
        return found
    with recorded() as recording:
        thing = make()
    note_recording(recording)
    return thing if recording.tables or recording.answers else _put(_parts, key, thing)


def _put(kept: dict[Hashable, Thing], key: Hashable, entry: Thing) -> Thing:
    with _lock:
        kept.pop(key, None)
        kept[key] = entry
        while len(kept) > MOST:
            del kept[next(iter(kept))]  # the oldest; wanted again, it costs one rendering
    return entry


def clear() -> None:
    """Drop everything, as a new process would; for tests, which change settings under a running site."""
    with _lock:
        _parts.clear()
        _answers.clear()
