"""Sitemaps of rows, of which there may be many."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.sitemaps import Sitemap
from django.db.models import Max, QuerySet

type_url = tuple[str, datetime | None]


class RowsSitemap(Sitemap):
    """
    The addresses of rows, in files by ranges of their keys: no file takes counting or skipping the rows before it.

    So an address stays in its file, and a file whose rows are all gone or hidden is empty.
    """

    limit = 5000  # the protocol allows 50,000; smaller files are made in less memory and time
    columns: tuple[str, ...]
    changed = ""  # the column that says when the page was changed last

    def items(self) -> QuerySet[Any, Any]:
        raise NotImplementedError

    def path(self, *columns: Any) -> str:
        """Return the path of a row's page."""
        raise NotImplementedError

    def number_of_files(self) -> int:
        last: int = self.items().model._default_manager.aggregate(last=Max("pk"))["last"] or 1
        return (last - 1) // self.limit + 1

    def urls(self, number: int) -> Iterator[type_url]:
        """Return path and last change of all that the file names."""
        last = number * self.limit
        rows = self.items().filter(pk__gt=last - self.limit, pk__lte=last).order_by("pk")
        width = len(self.columns)
        for row in rows.values_list(*self.columns, *([self.changed] if self.changed else [])):
            yield self.path(*row[:width]), row[width] if self.changed else None
