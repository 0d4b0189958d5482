"""
Statements written by hand: for what many pages ask, where the ORM's writing of the statement costs ten times its answer.

They are constants that take all they compare with as parameters, read the same on SQLite and PostgreSQL, and go through
Django's cursor, so that what is made of their rows is known to be old when these change (core/caching/README.md): name the
columns, since `*` is any.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from django.db import connections
from django.db.models import Model

from core.caching.routers import read_alias

Thing = TypeVar("Thing", bound=Model)


def rows(app_label: str, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Return the statement's rows, from the database that this app may read here; `%(name)s` stands for a value."""
    alias = read_alias(app_label)
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, _as_kept(alias, values))
        return list(cursor.fetchall())


def things(model: type[Thing], statement: str, **values: Any) -> Iterable[Thing]:
    """Return the rows as things of the model, whose columns the statement names; what else it names they have too."""
    alias = read_alias(model._meta.app_label)
    return model._default_manager.using(alias).raw(statement, _as_kept(alias, values))


def _as_kept(alias: str, values: dict[str, Any]) -> dict[str, Any]:
    if connections[alias].vendor != "sqlite":
        return values
    return {name: _without_zone(value) for name, value in values.items()}


def _without_zone(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def day(value: date | str) -> date:
    """Return a date that a row says: SQLite has none, and gives its text where it does not know the column."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def moment(value: datetime | str) -> datetime:
    """Return a moment that a row says; on SQLite it has no zone, and is UTC."""
    known = datetime.fromisoformat(value) if isinstance(value, str) else value
    return known if known.tzinfo else known.replace(tzinfo=UTC)
