"""Pages without a count: the list costs one query, however many pictures there are."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet


@dataclass(frozen=True)
class Page:
    """A page that knows only whether another follows. Shaped like Django's where templates look."""

    object_list: list[Any]
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


def get_page(rows: QuerySet, typed: str | None, size: int) -> Page:
    """Return the page asked for; the first for what is no number, the last for what is past the end."""
    number = int(typed) if typed and typed.isdecimal() and len(typed) < 8 else 1
    number = max(number, 1) if typed is None or len(typed) < 8 or not typed.isdecimal() else 10**7
    found = _slice(rows, number, size)
    if not found and number > 1:
        number = max(1, -(-rows.count() // size))
        found = _slice(rows, number, size)
    return Page(found[:size], number, has_next=len(found) > size)


def _slice(rows: QuerySet, number: int, size: int) -> list[Any]:
    start = (number - 1) * size
    # Which rows is found from the index alone; only those shown are read whole. Deep pages stay quick that way.
    ids = rows.values("pk")[start : start + size + 1]
    return list(rows.model._default_manager.filter(pk__in=ids))
