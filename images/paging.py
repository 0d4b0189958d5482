"""Pages without a count: the board costs one query, however many pictures there are, and its SQL is made once."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from config.keptsql import KeptSql, Rows
from config.paging import SIZE, START

from .models import Image, ImageQuerySet


@dataclass(frozen=True)
class Page:
    """A page that knows only whether another follows. Shaped like Django's where templates look."""

    object_list: Rows
    number: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def next_page_number(self) -> int:
        return self.number + 1

    @property
    def previous_page_number(self) -> int:
        return self.number - 1


def get_page(hidden: Collection[int], typed: str | None, size: int) -> Page:
    """
    Return the page of the board asked for; the first for what is no number, the last for what is past the end.

    `hidden` are the people whose pictures the reader does not want to see or must not.
    """
    number = int(typed) if typed and typed.isdecimal() and len(typed) < 8 else 1
    number = max(number, 1) if typed is None or len(typed) < 8 or not typed.isdecimal() else 10**7
    found = _slice(hidden, number, size)
    if not found and number > 1:
        number = max(1, -(-_public(*hidden).count() // size))
        found = _slice(hidden, number, size)
    return Page(Rows(found[:size]), number, has_next=len(found) > size)


def _slice(hidden: Collection[int], number: int, size: int) -> Rows:
    return _kept(len(hidden)).rows((number - 1) * size, size + 1, *hidden)


@lru_cache(maxsize=64)
def _kept(hidden: int) -> KeptSql:
    """Return the query for readers to whom so many people are hidden."""
    return KeptSql(_tiles, START, SIZE, *(-1 - number for number in range(hidden)))


def _tiles(start: int, size: int, *hidden: int) -> Any:
    # Which rows is found from the index alone; only those shown are read whole. Deep pages stay quick that way.
    ids = _public(*hidden).values("pk")[start : start + size]
    return Image.objects.filter(pk__in=ids).tiles()


def _public(*hidden: int) -> ImageQuerySet:
    return Image.objects.public().exclude(owner__in=hidden)
