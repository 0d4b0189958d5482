"""How long something kept may be used at most, though nothing was written that makes it old."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import Model
from django.utils import timezone

from .routers import from_primary
from .versions import Readings, are_hosts_heard, names_of, note_reading, recorded, slots_of, versions

MAX_AGE = 60.0  # seconds; a process may die between its commit and the note of it
MAX_AGE_UNHEARD = 15.0  # where a change on another host may be missed


@dataclass(frozen=True)
class Life:
    """Since when something is kept, what it was made from, and when it ends by itself."""

    slots: tuple[int, ...]
    made_at: int  # the number of the last change before it was made
    seconds: float
    since: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        return self.since + self.seconds - time.monotonic()

    @property
    def goes_on(self) -> bool:
        age = time.monotonic() - self.since
        is_young = age < self.seconds and (age < MAX_AGE_UNHEARD or are_hosts_heard())
        return is_young and versions().last_change(self.slots) <= self.made_at


def life(readings: Readings, made_at: int) -> Life:
    """
    Return how long to keep what was made from these, after the change of that number.

    To be asked within the `recorded` block: what is made depends on the next change's answer too.
    """
    seconds = MAX_AGE
    for table in readings.keys() & _asked.keys():
        upcoming = _next_change(table)
        note_reading(upcoming.readings)
        seconds = min(seconds, upcoming.life.seconds_left)
    return Life(slots_of(names_of(readings)), made_at, seconds)


# --- What changes by itself -------------------------------------------------------------------------------------------


class NextChange(NamedTuple):
    readings: Readings
    life: Life  # ends when it comes


_asked: dict[str, Callable[[], datetime | None]] = {}
_known: dict[str, NextChange] = {}


def register_next_change(model: type[Model], ask: Callable[[], datetime | None]) -> None:
    """Have `ask` say when a row of the model will appear or go by itself next, such as a post at its hour."""
    _asked[model._meta.db_table] = ask


def _next_change(table: str) -> NextChange:
    known = _known.get(table)
    if known is None or not known.life.goes_on:
        now = versions().now()
        with from_primary(), recorded() as readings:
            moment = _asked[table]()
        seconds = (moment - timezone.now()).total_seconds() if moment else MAX_AGE
        known = NextChange(readings, Life(slots_of(names_of(readings)), now, min(seconds, MAX_AGE)))
        _known[table] = known
    return known
