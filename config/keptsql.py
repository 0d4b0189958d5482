"""
SQL text that the ORM makes once, to be asked again with other values.

Building a large query in Python takes longer than the database takes to answer it. A query that every page asks, and
that differs from one time to the next by a few values only, is compiled with marks in their places:

    newer = KeptSql(lambda pk, now: Post.objects.published(now).filter(pk__gt=pk), 987_654_321, datetime.max)
    Post.objects.raw(*newer.with_values(post.pk, timezone.now()))

A mark is a value of the same type as the real one that appears nowhere else in the query.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class KeptSql:
    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *marks: Any) -> None:
        self._build = build
        self._marks = marks
        self._kept: tuple[str, list[Any]] | None = None

    def with_values(self, *values: Any) -> tuple[str, list[Any]]:
        """Return SQL and parameters for a raw query, with these values where the marks were."""
        if self._kept is None:
            sql, parameters = self._build(*self._marks).query.sql_with_params()
            self._kept = sql, list(parameters)
        sql, marked = self._kept
        real = dict(zip(map(_prepared, self._marks), map(_prepared, values), strict=True))
        return sql, [real.get(parameter, parameter) for parameter in marked]


def _prepared(value: Any) -> Any:
    """Return the value as it stands among a compiled query's parameters: SQLite is given moments as text."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
