"""What the admin needs for tables that grow for years: neither the page nor its pager may count them to the last row."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone

NEWEST = 1000  # rows
INDEXED = 100  # hits that are asked of our own index
MOST_FOUND = 500
LAST = "\uffff"  # sorts after every letter


class CheapPaginator(Paginator):
    """Counts no further than a person pages: an exact count(*) reads every row of a large table, on every view."""

    MOST = 2_500

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Model]", self.object_list)
        return rows.order_by().values("pk")[: self.MOST].count()


class Period(admin.DateFieldListFilter):
    """Django's, and the years before: a date hierarchy reads every row to say in which years there are any."""

    YEARS = 5

    def __init__(self, field: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, *args, **kwargs)
        this = timezone.localtime().year
        self.links += tuple((str(year), self._of(year)) for year in range(this - 1, this - self.YEARS, -1))

    def _of(self, year: int) -> dict[str, Any]:
        first, after = (timezone.make_aware(datetime(each, 1, 1)) for each in (year, year + 1))  # noqa: DTZ001
        return {self.lookup_kwarg_since: first, self.lookup_kwarg_until: after}


class Lately(admin.AllValuesFieldListFilter):
    """Django's, but it offers what stands in the newest rows: to find every value is to read every row."""

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, params, model, *args, **kwargs)
        newest = model._default_manager.order_by("-pk")[:NEWEST]
        self.lookup_choices: Any = sorted(set(newest.values_list(field.name, flat=True)))


class LongTable:
    """For a ModelAdmin, in front of it."""

    show_full_result_count = False
    paginator: "type[Paginator[Any]]" = CheapPaginator


class Sought(LongTable):
    """A long table whose search box asks indexes: a look at every row takes seconds."""

    def ways(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> Iterator[QuerySet[Any]]:
        """Yield rows that may be meant, each time such as an index finds."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = {
            pk for way in self.ways(request, queryset, term) for pk in way.order_by().values_list("pk")[:MOST_FOUND]
        }
        return queryset.filter(pk__in=[pk for (pk,) in found]), False

    def looked_through(self, request: HttpRequest, few: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Return those that hold the words anywhere in `search_fields`, for rows that are few or not in any index."""
        found: QuerySet[Any] = super().get_search_results(request, few, term)[0]  # type: ignore[misc]
        return found


def newest(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the newest rows of the table, by their numbers."""
    last = rows.model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    return rows.filter(pk__gt=(last or 0) - NEWEST)


def numbered(rows: QuerySet[Any], term: str, column: str = "pk") -> QuerySet[Any]:
    """Return the rows of the number that was typed, as "12" or "#12"."""
    number = term.removeprefix("#")
    return rows.filter(**{column: int(number)}) if number.isdecimal() and len(number) < 19 else rows.none()


def begun(rows: QuerySet[Any], column: str, words: Iterable[str]) -> QuerySet[Any]:
    """Return the rows whose column begins with one of the words, in any letter case, by the index on LOWER(column)."""
    either = Q()
    for word in words:
        # A range rather than LIKE, for which neither database uses a plain index.
        either |= Q(lowered__gte=word.lower(), lowered__lt=word.lower() + LAST)
    return rows.alias(lowered=Lower(column)).filter(either) if either else rows.none()
