"""
Pages of long lists: how long the list is is known already, and each page is one query.

Whoever asks for page 5,000 has the rows before it skipped, on an index but one by one. So a page is looked for from the
nearer end of its list; and deep in the middle from a milestone: of every row whose number, counted from the end, is a
multiple of STEP, the place is kept (core/caching/memory.py) until the list's tables change, and the list is entered
there.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet

from .memory import cached

STEP = 1000

type_rows = QuerySet[Any, Any]
type_place = tuple[Any, ...]


@dataclass(frozen=True)
class Listing:
    """
    A list: `rows` in the `order` of columns of which the last is unique, and never NULL. `shown` loads what is shown of
    some of them, in order too. `key` tells the list from every other.

    Where `rows` are another model's, such as the tags of posts, `of` is the model shown and `ids` names its key.
    """

    key: Hashable
    rows: type_rows
    order: Sequence[str]
    shown: Callable[[Any], type_rows]
    of: type[Model] | None = None
    ids: str = "pk"

    def page(self, start: int, end: int, count: int) -> list[Any]:
        size, behind = end - start, count - end
        if start <= max(min(behind, STEP), 0):
            return self.first_rows(start, size)
        backwards = self._backwards
        if behind > STEP and (place := self._milestone(behind)):
            backwards, behind = beginning_at(backwards, turned(self.order), place), behind % STEP
        return self._load(backwards[behind : behind + size])

    def first_rows(self, start: int, size: int) -> list[Any]:
        """Skip from the front only, which takes no count."""
        return self._load(self.rows.order_by(*self.order)[start : start + size])

    def count(self) -> int:
        """Count the rows, again when one of the tables has changed."""
        return cached(("list", self.key, "count"), self.rows.order_by().count)

    @property
    def _backwards(self) -> type_rows:
        return self.rows.order_by(*turned(self.order))

    def _milestone(self, behind: int) -> type_place | None:
        """Return the place of the last milestone before the row with so many behind it: nothing moves at that end."""
        number = behind // STEP * STEP
        places = self._backwards.values_list(*map(_column, self.order))
        return cached(("list", self.key, number), places[number:].first)

    def _load(self, near: type_rows) -> list[Any]:
        model = self.of or near.model
        return list(self.shown(model._default_manager.filter(pk__in=near.values(self.ids))))


def _column(name: str) -> str:
    return name.lstrip("-")


def turned(order: Sequence[str]) -> list[str]:
    """Return the opposite order."""
    return [name[1:] if name.startswith("-") else f"-{name}" for name in order]


def beginning_at(rows: type_rows, order: Sequence[str], place: type_place) -> type_rows:
    """Return the rows from a place on: the values of what they are ordered by."""
    beyond, same = Q(), Q()
    for name, value in zip(order, place, strict=True):
        beyond |= same & Q(**{f"{_column(name)}__{_side(name)}": value})
        same &= Q(**{_column(name): value})
    # The first condition says nothing new, but is one that an index can start from.
    first = order[0]
    return rows.filter(**{f"{_column(first)}__{_side(first)}e": place[0]}).filter(beyond | same)


def _side(name: str) -> str:
    return "lt" if name.startswith("-") else "gt"


class ListPaginator(Paginator):
    def __init__(self, listing: Listing, count: int, per_page: int) -> None:
        super().__init__((), per_page)
        self.count = count
        self._listing = listing

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        end = min(start + self.per_page, self.count)
        return Page(self._listing.page(start, end, self.count) if end > start else [], number, self)
