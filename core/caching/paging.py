"""
Pages of long lists: how long the list is is known already, and each page is one query.

Whoever asks for page 5,000 has the rows before it skipped, on an index but one by one. So a page is looked for from the
nearer end of its list; and deep in the middle from a milestone: of every row whose number, counted from the end, is a
multiple of STEP, the place is kept (core/caching/memory.py) until the list's tables change, and the list is entered
there.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet

from .memory import cached
from .versions import keys_of, shown_rows

STEP = 1000

type_rows = QuerySet[Any, Any]
type_place = tuple[Any, ...]


@dataclass(frozen=True)
class LongList:
    """
    A list: its rows in the `order` of columns of which the last is unique, and never NULL. `key` tells it from every other.

    What its rows are, and how some of them are read, is for the classes below.
    """

    key: Hashable
    rows: Any
    order: Sequence[str]

    def page(self, start: int, end: int, count: int) -> list[Any]:
        size, behind = end - start, count - end
        if start <= max(min(behind, STEP), 0):
            return self.first_rows(start, size)
        place = self._milestone(behind) if behind > STEP else None
        return self.last_rows(behind % STEP if place else behind, size, place)

    def first_rows(self, skipped: int, size: int) -> list[Any]:
        """Skip from the front only, which takes no count."""
        raise NotImplementedError

    def last_rows(self, skipped: int, size: int, place: type_place | None) -> list[Any]:
        """Skip from the end, or from a place near it; in the order of the list, all the same."""
        raise NotImplementedError

    def count(self) -> int:
        """Count the rows, again when one of the tables has changed."""
        return cached(("list", self.key, "count"), self._rows().order_by().count)

    def _rows(self) -> type_rows:
        raise NotImplementedError

    def _backwards(self) -> type_rows:
        return self._rows().order_by(*turned(self.order))

    def _milestone(self, behind: int) -> type_place | None:
        """Return the place of the last milestone before the row with so many behind it: nothing moves at that end."""
        number = behind // STEP * STEP
        places = self._backwards().values_list(*map(_column, self.order))
        return cached(("list", self.key, number), places[number:].first)


@dataclass(frozen=True)
class Listing(LongList):
    """
    A list that the ORM reads, of the queryset `rows`: `shown` loads what is shown of some of the rows, in order too.

    Where `rows` are another model's, such as the tags of posts, `of` is the model shown and `ids` names its key.
    """

    rows: type_rows
    shown: Callable[[Any], Iterable[Any]]
    of: type[Model] | None = None
    ids: str = "pk"

    def _rows(self) -> type_rows:
        return self.rows

    def first_rows(self, skipped: int, size: int) -> list[Any]:
        return self._load(self.rows.order_by(*self.order)[skipped : skipped + size])

    def last_rows(self, skipped: int, size: int, place: type_place | None) -> list[Any]:
        backwards = self._backwards()
        if place:
            backwards = beginning_at(backwards, turned(self.order), place)
        return self._load(backwards[skipped : skipped + size])

    def _load(self, near: type_rows) -> list[Any]:
        model = self.of or near.model
        some = model._default_manager.filter(pk__in=near.values(self.ids))
        return shown_rows(model._meta.db_table, lambda: list(self.shown(some)), keys_of)


@dataclass(frozen=True)
class StatementListing(LongList):
    """
    A list whose pages are read by statements of our own (core/sql.py); `rows` makes a queryset, when milestones are looked for.

    `ids` finds the ids of all rows with these `values`, `by` are the two columns that they are ordered by, and `read`
    returns what is shown of some ids, in the order of the list.
    """

    rows: Callable[[], type_rows]
    ids: str
    by: tuple[str, str]
    read: Callable[..., list[Any]]
    values: dict[str, Any] = field(default_factory=dict)

    def _rows(self) -> type_rows:
        return self.rows()

    def first_rows(self, skipped: int, size: int) -> list[Any]:
        return self._some(skipped, size, self.order)

    def last_rows(self, skipped: int, size: int, place: type_place | None) -> list[Any]:
        return self._some(skipped, size, turned(self.order), place)

    def _some(self, skipped: int, size: int, order: Sequence[str], place: type_place | None = None) -> list[Any]:
        first, last = self.by
        direction, side = ("DESC", "<=") if order[0].startswith("-") else ("ASC", ">=")
        beyond = f"AND ({first}, {last}) {side} (%(from_first)s, %(from_last)s)" if place else ""
        ids = f"{self.ids} {beyond} ORDER BY {first} {direction}, {last} {direction} LIMIT %(size)s OFFSET %(skipped)s"
        from_place = dict(zip(("from_first", "from_last"), place or (), strict=False))
        return self.read(ids, size=size, skipped=skipped, **from_place, **self.values)


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
    def __init__(self, listing: LongList, count: int, per_page: int) -> None:
        super().__init__((), per_page)
        self.count = count
        self._listing = listing

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        end = min(start + self.per_page, self.count)
        return Page(self._listing.page(start, end, self.count) if end > start else [], number, self)
