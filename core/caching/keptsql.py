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
from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.db import connection, connections
from django.db.models import QuerySet
from django.db.models.query import ModelIterable
from django.utils.functional import cached_property

from .routers import read_alias

BOUND = re.compile(r"(?<=LIMIT )\d+|(?<=OFFSET )\d+")


class KeptSql:
    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *marks: Any, long: str = "") -> None:
        """`long` names a column that is too long to be part of `Row.shown`: templates show it outside what they keep."""
        self._build = build
        self._marks = marks
        self._long = long
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
        answered.get_converters = lambda columns: self._converters
        # What ModelIterable looks at of a queryset; one of its own would take longer to make than the object.
        query = SimpleNamespace(get_compiler=lambda using: answered)
        asked: Any = SimpleNamespace(db=queryset.db, query=query, _known_related_objects={})
        return next(iter(ModelIterable(asked)))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        _queryset, compiler, *_ = self._compiled()
        return tuple(sql for _column, (sql, _parameters), _alias in compiler.select)

    @cached_property
    def _converters(self) -> Any:
        _queryset, compiler, *_ = self._compiled()
        return compiler.get_converters([column for column, _sql, _alias in compiler.select])

    @cached_property
    def long_at(self) -> int | None:
        """Return the place of the long column, if there is one."""
        return next((place for place, sql in enumerate(self.columns) if sql.endswith(f'."{self._long}"')), None)

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

    `shown` is its columns and values: what was rendered of a row can be found again by them (`{% fragment_each %}`).
    """

    __slots__ = ("_kept", "_object", "values")

    def __init__(self, values: tuple[Any, ...], kept: KeptSql) -> None:
        self.values = values
        self._kept = kept
        self._object: Any = None

    @property
    def shown(self) -> tuple[Any, ...]:
        long_at = self._kept.long_at
        values = self.values if long_at is None else self.values[:long_at] + self.values[long_at + 1 :]
        return self._kept.columns, values

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
    """Return the value as it stands among a compiled query's parameters: SQLite is given moments, days, prices as text."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, Decimal):
        return connection.ops.adapt_decimalfield_value(value)
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value
