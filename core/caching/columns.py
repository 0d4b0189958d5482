"""What our tables are made of, by the names that stand in SQL."""

from functools import cache

from django.apps import apps
from django.db.models import Field, ForeignKey, GeneratedField, Model

Fields = dict[str, "Field[object, object]"]  # by column


@cache
def all_tables() -> frozenset[str]:
    return frozenset(_models())


@cache
def columns_of(table: str) -> frozenset[str]:
    return frozenset(_fields(table))


@cache
def foreign_keys(table: str) -> frozenset[str]:
    return frozenset(column for column, field in _fields(table).items() if isinstance(field, ForeignKey))


@cache
def generated_columns(table: str) -> frozenset[str]:
    """Return the columns that the database works out of others, whenever one of those is set."""
    return frozenset(column for column, field in _fields(table).items() if isinstance(field, GeneratedField))


@cache
def primary_key(table: str) -> str:
    return next(column for column, field in _fields(table).items() if field.primary_key)


@cache
def _models() -> dict[str, type[Model]]:
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}


def _fields(table: str) -> Fields:
    fields = _models()[table]._meta.get_fields()
    return {str(field.column): field for field in fields if isinstance(field, Field) and field.concrete}
