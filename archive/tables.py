"""Every row as JSON, taken from one moment of the database, and back into a database of either kind."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from types import SimpleNamespace
from typing import IO, Any
from uuid import UUID

from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connections, models, reset_queries, transaction
from django.db.models.sql import InsertQuery
from django.utils.duration import duration_iso_string

from core.stores.sealed import SealedField

# Whoever finds an archive must not walk in with a login that somebody left open: a restored site asks everybody anew.
NOT_BACKED_UP = {"account.Session", "account.Tries", "sessions.Session"}
SNAPSHOT = "snapshot"
ROWS = 500
MAX_LINE = 20_000_000  # bytes of one row, whose longest texts have a tenth of it


def all_models(registry: Apps) -> list[type[models.Model]]:
    """Return the models whose tables a restore empties."""
    found = registry.get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy]


def models_in_archive(registry: Apps) -> list[type[models.Model]]:
    return [model for model in all_models(registry) if model._meta.label not in NOT_BACKED_UP]


@contextmanager
def snapshot() -> Iterator[str]:
    """Give the alias of a connection that sees the database as it is now, while the site goes on writing."""
    connections.settings[SNAPSHOT] = settings = {**connections["default"].settings_dict}
    if connections["default"].vendor == "sqlite":  # IMMEDIATE would keep everybody else from writing
        settings["OPTIONS"] = {**settings["OPTIONS"], "transaction_mode": "DEFERRED"}
    try:
        with transaction.atomic(using=SNAPSHOT), connections[SNAPSHOT].cursor() as cursor:
            if connections[SNAPSHOT].vendor == "postgresql":
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT 1 FROM django_migrations")  # the moment is that of the first read
            yield SNAPSHOT
    finally:
        connections[SNAPSHOT].close()
        del connections[SNAPSHOT], connections.settings[SNAPSHOT]


# --- Out -----------------------------------------------------------------------------------------------------------


def columns_of(model: type[models.Model]) -> "list[models.Field[Any, Any]]":
    return [field for field in model._meta.local_concrete_fields if not field.generated]


def lines_of(model: type[models.Model], using: str, progress: Callable[[int], object]) -> Iterator[bytes]:
    """Walk the table by its primary key: flat memory, also behind a pooler that forbids cursors."""
    columns = [field.as_stored() if isinstance(field, SealedField) else field.attname for field in columns_of(model)]
    rows = model._base_manager.using(using).order_by("pk").values_list("pk", *columns)
    last: tuple[Any, ...] | None = None
    while batch := list((rows if last is None else rows.filter(pk__gt=last[0]))[:ROWS]):
        yield b"".join(json.dumps(row[1:], default=_plain).encode() + b"\n" for row in batch)
        last = batch[-1]
        progress(len(batch))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, timedelta):
        return duration_iso_string(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    raise TypeError(f"{type(value).__name__} has no place in a backup yet")


# --- In ------------------------------------------------------------------------------------------------------------

# Private parts of Django (tests/test_private_django.py): which tables there are, how a database empties them, and an
# INSERT without save(). The ORM's public bulk_create would change what is restored: each field's pre_save() runs, so
# that `auto_now` overwrites moments.


def present() -> set[str]:
    """Return the names of the tables that there are."""
    return set(connections["default"].introspection.table_names())


def empty(tables: Iterable[type[models.Model]]) -> None:
    connection = connections["default"]
    names = [model._meta.db_table for model in tables]
    with connection.cursor() as cursor:
        for statement in connection.ops.sql_flush(no_style(), names):
            cursor.execute(statement)


def load(model: type[models.Model], names: list[str], lines: IO[bytes]) -> int:
    """Insert the lines as they are: no save(), no default, no `auto_now` may touch them."""
    by_name = {field.attname: field for field in columns_of(model)}
    fields = [by_name[name] for name in names]
    connection = connections["default"]
    size = min(ROWS, connection.ops.bulk_batch_size(fields, [None] * ROWS))
    total = 0
    whole = iter(partial(lines.readline, MAX_LINE), b"")  # of a longer one the first part, which is no JSON
    while batch := [_row(fields, line) for line in islice(whole, size)]:
        query = InsertQuery(model)
        query.insert_values(fields, batch, raw=True)
        query.get_compiler(using="default").execute_sql()
        reset_queries()  # with DEBUG on, Django keeps the text of every statement, here of every row
        total += len(batch)
    return total


def _row(fields: "list[models.Field[Any, Any]]", line: bytes) -> Any:
    values = zip(fields, json.loads(line), strict=True)
    return SimpleNamespace(**{field.attname: _value(field, value) for field, value in values})


def _value(field: "models.Field[Any, Any]", value: Any) -> Any:
    return field.from_archive(value) if isinstance(field, SealedField) else field.to_python(value)


# --- The next id: one that was given out and deleted again must not come back ---------------------------------------


def last_ids(tables: Iterable[type[models.Model]], using: str) -> dict[str, int]:
    """Return the last id that each table has given out. Stripe, mails and bookmarks may remember ids of gone rows."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, seq FROM sqlite_sequence WHERE seq > 0")
            known = dict(cursor.fetchall())
            return {
                model._meta.db_table: known[model._meta.db_table] for model in tables if model._meta.db_table in known
            }
        found = {}
        for table, sequence in _sequences(tables, cursor):
            cursor.execute(f"SELECT last_value FROM {sequence} WHERE is_called")  # noqa: S608 - PostgreSQL's own name
            if row := cursor.fetchone():
                found[table] = row[0]
        return found


def _sequences(tables: Iterable[type[models.Model]], cursor: Any) -> list[tuple[str, str]]:
    pairs = [(model._meta.db_table, model._meta.pk.column) for model in tables if model._meta.pk]
    found = []
    for table, column in pairs:
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [f'"{table}"', column])
        if sequence := cursor.fetchone()[0]:
            found.append((table, sequence))
    return found


def set_last_ids(tables: Iterable[type[models.Model]], last: dict[str, int]) -> None:
    connection = connections["default"]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for table, number in last.items():
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])
            return
        for table, sequence in _sequences(tables, cursor):
            if table in last:
                cursor.execute("SELECT setval(%s, %s)", [sequence, last[table]])
