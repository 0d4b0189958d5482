"""
Pages of long lists: how long the list is is known already, and each page is one query whose SQL is made once.

Whoever asks for page 5,000 has the rows before it skipped, on an index but one by one. So a page is looked for from the
nearer end of its list; and deep in the middle from a milestone: of every row whose number, counted from the end, is a
multiple of STEP, the place is kept (core/caching/memory.py) until the list's tables change, and the list is entered there.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from .keptsql import KeptSql, Rows
from .memory import cached

# Marks (core/caching/keptsql.py): a moment, and the bounds of a slice.
FAR, START, SIZE = datetime(9998, 1, 1, tzinfo=UTC), 987_654_321, 87_654_321
PLACE = datetime(9997, 1, 1, tzinfo=UTC)

STEP = 1000

type_rows = QuerySet[Any, Any]
type_place = tuple[Any, ...]


class Listing:
    """
    A kind of list. `select` gives its rows as of a moment, ordered by columns of which the last is unique, and `shown`
    loads what is shown of them, in order. `marks` stand for whatever else `select` is told, such as the id of a category.

    Where `select` reads another model's rows, such as the tags of posts, `of` is the model shown and `ids` names its key.
    """

    def __init__(
        self, select: Callable[..., type_rows], shown: Callable[[Any], type_rows], *marks: Any,
        of: type[Model] | None = None, ids: str = "pk",
    ) -> None:  # fmt: skip
        self._select = select
        self._shown = shown
        self._marks = marks
        self._of = of
        self._ids = ids
        self._from_front = KeptSql(self._near_front, FAR, START, SIZE, *marks)
        self._from_back = KeptSql(self._near_back, FAR, START, SIZE, *marks)

    def rows(self, start: int, end: int, count: int, *subject: Any) -> Rows:
        size, behind = end - start, count - end
        if start <= max(min(behind, STEP), 0):
            return self.first_rows(start, size, *subject)
        if behind > STEP and (place := self._milestone(behind, *subject)):
            return self._from_place.rows(timezone.now(), behind % STEP, size, *place, *subject)
        return self._from_back.rows(timezone.now(), behind, size, *subject)

    def first_rows(self, start: int, size: int, *subject: Any) -> Rows:
        """Skip from the front only, which takes no count."""
        return self._from_front.rows(timezone.now(), start, size, *subject)

    def count(self, *subject: Any) -> int:
        """Count the rows, again when one of the tables has changed."""
        return self._keep("count", self._select(timezone.now(), *subject).order_by().count, *subject)

    def _near_front(self, now: datetime, start: int, size: int, *subject: Any) -> type_rows:
        return self._with_ids(self._select(now, *subject)[start : start + size])

    def _near_back(self, now: datetime, start: int, size: int, *subject: Any) -> type_rows:
        return self._with_ids(turned(self._select(now, *subject))[start : start + size])

    @cached_property
    def _from_place(self) -> KeptSql:
        rows = self._select(FAR, *self._marks)
        place = [_mark(rows.model, _column(name), number) for number, name in enumerate(names(rows))]
        return KeptSql(partial(self._near_place, len(place)), FAR, START, SIZE, *place, *self._marks)

    def _near_place(self, columns: int, now: datetime, start: int, size: int, *values: Any) -> type_rows:
        place, subject = values[:columns], values[columns:]
        backwards = turned(self._select(now, *subject))
        return self._with_ids(beginning_at(backwards, place)[start : start + size])

    def _milestone(self, behind: int, *subject: Any) -> type_place | None:
        """Return the place of the last milestone before the row with so many behind it: nothing moves at that end."""
        number = behind // STEP * STEP
        backwards = turned(self._select(timezone.now(), *subject))
        places = backwards.values_list(*map(_column, names(backwards)))
        return self._keep(number, places[number:].first, *subject)

    def _keep(self, what: object, find: Callable[[], Any], *subject: Any) -> Any:
        return cached(("list", *self._from_front.text, subject, what), find)

    def _with_ids(self, near: type_rows) -> type_rows:
        return self._shown((self._of or near.model)._default_manager.filter(pk__in=near.values(self._ids)))


def _mark(model: type[Model], column: str, number: int) -> Any:
    """Return a value of the column's type that no place has."""
    field: Any = model._meta.pk if column == "pk" else model._meta.get_field(column)
    marks = {"DateTimeField": PLACE, "DecimalField": Decimal("76543.210"), "CharField": "\x01place"}
    return marks.get(field.get_internal_type(), 876_543_210 + number)


def names(rows: type_rows) -> list[str]:
    """Return what the rows are ordered by, as for order_by()."""
    return [str(name) for name in rows.query.order_by or rows.model._meta.ordering]


def _column(name: str) -> str:
    return name.lstrip("-")


def turned(rows: type_rows) -> type_rows:
    """Return the rows in the opposite order; by names, where reverse() would set a flag that cannot be read."""
    return rows.order_by(*(name[1:] if name.startswith("-") else f"-{name}" for name in names(rows)))


def beginning_at(rows: type_rows, place: type_place) -> type_rows:
    """Return the rows from a place on: the values of what they are ordered by."""
    beyond, same = Q(), Q()
    for name, value in zip(names(rows), place, strict=True):
        beyond |= same & Q(**{f"{_column(name)}__{_side(name)}": value})
        same &= Q(**{_column(name): value})
    # The first condition says nothing new, but is one that an index can start from.
    first = names(rows)[0]
    return rows.filter(**{f"{_column(first)}__{_side(first)}e": place[0]}).filter(beyond | same)


def _side(name: str) -> str:
    return "lt" if name.startswith("-") else "gt"


class ListPaginator(Paginator):
    def __init__(self, listing: Listing, count: int, per_page: int, *subject: Any) -> None:
        super().__init__((), per_page)
        self.count = count
        self._listing = listing
        self._subject = subject

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        end = min(start + self.per_page, self.count)
        return Page(self._listing.rows(start, end, self.count, *self._subject) if end > start else [], number, self)
