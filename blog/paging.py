"""Pages of long lists: how long the list is is known already, and each page is one query whose SQL is made once."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils import timezone

from config.keptsql import KeptSql

from .models import Comment, Post

# Marks (config/keptsql.py): a moment, the bounds of a slice, and the id of whatever the list is about.
FAR, START, SIZE, SUBJECT = datetime(9998, 1, 1, tzinfo=UTC), 987_654_321, 87_654_321, -1

type_rows = QuerySet[Any, Any]


class Listing:
    """
    A kind of list. `select` gives its rows in order, as of a moment, and `shown` loads what is shown of them, in order.

    The rows in front of a page are skipped on an index, from the nearer end of the list: the last page costs no more
    than the first, and one in the middle reads no row but its own.
    """

    def __init__(self, select: Callable[..., type_rows], shown: Callable[[type_rows], type_rows], *marks: Any) -> None:
        self._select = select
        self._shown = shown
        self._from_front = KeptSql(self._near_front, FAR, START, SIZE, *marks)
        self._from_back = KeptSql(self._near_back, FAR, START, SIZE, *marks)

    def rows(self, start: int, end: int, count: int, *subject: Any) -> list[Any]:
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


def _cards(posts: Any) -> type_rows:
    return posts.newest_first().cards()


def _oldest_first(comments: type_rows) -> type_rows:
    return comments.order_by("created_at", "pk")


POSTS = Listing(lambda now: Post.objects.published(now).newest_first(), _cards)
POSTS_OF_A_TAG = Listing(lambda now, tag: Post.objects.published(now).newest_tagged(tag), _cards, SUBJECT)
POSTS_OF_AN_AUTHOR = Listing(lambda now, by: Post.objects.published(now).by(by).newest_first(), _cards, SUBJECT)
COMMENTS = Listing(
    lambda now, post: _oldest_first(Comment.objects.approved().filter(post=post)), _oldest_first, SUBJECT
)


def posts_of_a_period(first: date, last: date) -> Listing:
    """Return a list whose SQL is made each time: its bounds are reckoned with before they become values."""
    return Listing(lambda now: Post.objects.published(now).in_period(first, last).newest_first(), _cards)


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
