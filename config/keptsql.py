"""
SQL text that the ORM makes once, to be asked again with other values.

Building a large query in Python takes longer than the database takes to answer it. A query that every page asks, and
that differs from one time to the next by a few values only, is compiled with marks in their places:

    newer = KeptSql(lambda pk, now: Post.objects.published(now).filter(pk__gt=pk), 987_654_321, datetime.max)
    newer.rows(post.pk, timezone.now())

A mark is a value of the same type as the real one that appears nowhere else in the query. A whole number may also be a
bound of a slice.
"""

import re
from collections.abc import Callable
from copy import copy
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django.db import connection, connections
from django.db.models import QuerySet
from django.db.models.query import ModelIterable
from django.utils.functional import cached_property

from .routers import read_alias

BOUND = re.compile(r"(?<=LIMIT )\d+|(?<=OFFSET )\d+")


class KeptSql:
    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *marks: Any) -> None:
        self._build = build
        self._marks = marks
        self._kept: tuple[QuerySet[Any, Any], Any, str, list[Any]] | None = None

    def with_values(self, *values: Any) -> tuple[str, list[Any]]:
        """Return SQL and parameters for a raw query, with these values where the marks were."""
        _queryset, _compiler, sql, marked = self._compiled()
        pairs = list(zip(self._marks, values, strict=True))
        bounds = {str(mark): str(value) for mark, value in pairs if type(mark) is type(value) is int}
        real = {_prepared(mark): _prepared(value) for mark, value in pairs}
        sql = BOUND.sub(lambda found: bounds.get(found[0], found[0]), sql) if bounds else sql
        return sql, [real.get(parameter, parameter) for parameter in marked]

    def rows(self, *values: Any) -> "Rows":
        """Ask with these values."""
        app_label = self._compiled()[0].model._meta.app_label
        with connections[read_alias(app_label)].cursor() as cursor:
            cursor.execute(*self.with_values(*values))
            return Rows(Row(row, self) for row in cursor.fetchall())

    @property
    def text(self) -> tuple[str, tuple[Any, ...]]:
        """The SQL with its marks: what tells this query from every other."""
        _queryset, _compiler, sql, marked = self._compiled()
        return sql, tuple(marked)

    def object_of(self, row: tuple[Any, ...]) -> Any:
        """Return the model's object that the ORM would have made of a row."""
        queryset, compiler, *_ = self._compiled()
        answered = copy(compiler)
        answered.connection = connection
        answered.execute_sql = lambda **options: [[row]]
        asked: Any = queryset.all()
        asked.query = SimpleNamespace(get_compiler=lambda using: answered, values_select=())
        return next(iter(ModelIterable(asked)))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        _queryset, compiler, *_ = self._compiled()
        return tuple(sql for _column, (sql, _parameters), _alias in compiler.select)

    def _compiled(self) -> tuple[QuerySet[Any, Any], Any, str, list[Any]]:
        if self._kept is None:
            queryset = self._build(*self._marks)
            compiler = queryset.query.get_compiler(queryset.db)
            sql, parameters = compiler.as_sql()
            self._kept = queryset, compiler, sql, list(parameters)
        return self._kept


class Row:
    """
    A row as the database gave it, which is made into the model's object only when somebody looks.

    `shown` is its columns and values: what was rendered of a row can be found again by them (`{% kept_each %}`).
    """

    __slots__ = ("_kept", "_object", "values")

    def __init__(self, values: tuple[Any, ...], kept: KeptSql) -> None:
        self.values = values
        self._kept = kept
        self._object: Any = None

    @property
    def shown(self) -> tuple[Any, ...]:
        return self._kept.columns, self.values

    @property
    def object(self) -> Any:
        if self._object is None:
            self._object = self._kept.object_of(self.values)
        return self._object

    def __getattr__(self, name: str) -> Any:
        return getattr(self.object, name)

    def __str__(self) -> str:
        return str(self.object)


class Rows(list[Row]):
    @property
    def shown(self) -> tuple[Any, ...]:
        return tuple(row.shown for row in self)


def _prepared(value: Any) -> Any:
    """Return the value as it stands among a compiled query's parameters: SQLite is given moments as text."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
