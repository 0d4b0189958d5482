"""Pages of long lists: how long the list is is known already, and each page is one query whose SQL is made once."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils import timezone

from .keptsql import KeptSql, Rows

# Marks (config/keptsql.py): a moment, and the bounds of a slice.
FAR, START, SIZE = datetime(9998, 1, 1, tzinfo=UTC), 987_654_321, 87_654_321

type_rows = QuerySet[Any, Any]


class Listing:
    """
    A kind of list. `select` gives its rows in order, as of a moment, and `shown` loads what is shown of them, in order.
    `marks` stand for whatever else `select` is told, such as the id of a category.

    The rows in front of a page are skipped on an index, from the nearer end of the list: the last page costs no more
    than the first, and one in the middle reads no row but its own.
    """

    def __init__(self, select: Callable[..., type_rows], shown: Callable[[Any], type_rows], *marks: Any) -> None:
        self._select = select
        self._shown = shown
        self._from_front = KeptSql(self._near_front, FAR, START, SIZE, *marks)
        self._from_back = KeptSql(self._near_back, FAR, START, SIZE, *marks)

    def rows(self, start: int, end: int, count: int, *subject: Any) -> Rows:
        now = timezone.now()
        if start < count / 2:
            return self._from_front.rows(now, start, end - start, *subject)
        return self._from_back.rows(now, count - end, end - start, *subject)

    def _near_front(self, now: datetime, start: int, size: int, *subject: Any) -> type_rows:
        return self._with_ids(self._select(now, *subject)[start : start + size])

    def _near_back(self, now: datetime, start: int, size: int, *subject: Any) -> type_rows:
        return self._with_ids(self._select(now, *subject).reverse()[start : start + size])

    def _with_ids(self, near: type_rows) -> type_rows:
        return self._shown(near.model._default_manager.filter(pk__in=near.values("pk")))


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
