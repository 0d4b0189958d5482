"""
Which tables a SQL statement reads and writes, told by its text.

What the ORM sends is recognised exactly. Of anything else (raw SQL, in whatever spelling) every table of ours whose name
stands in the text counts, and where none does, all of them: a statement that nobody understands makes too many pages
old, never too few. A SELECT counts as reading only, so no function that it could call may write (a test asks the
database for such functions).
"""

import re
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.apps import apps

EVERYTHING = "*"  # stands for all tables where a statement does not say which it writes

# What the ORM writes with. A quoted name before a dot is a schema's.
PLAIN_WRITE = re.compile(r'(?:INSERT (?:OR IGNORE )?INTO|UPDATE|DELETE FROM) "([^"]+)"(?!\s*\.)[^;]*\Z')
BEGINNING = re.compile(r"(?:[\s(]|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*([a-z]+)?", re.IGNORECASE | re.DOTALL)
QUESTIONS = {"select", "with", "values", "explain", "table"}
# They change no row: transactions, settings of the connection, statistics, cursors, locks.
HARMLESS = {
    "begin", "start", "savepoint", "release", "rollback", "commit", "end", "abort", "set", "reset", "show",
    "pragma", "analyze", "vacuum", "checkpoint", "declare", "fetch", "move", "close", "lock", "listen", "unlisten",
    "notify", "deallocate", "discard",
}  # fmt: skip
LOCKING = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?UPDATE\b", re.IGNORECASE)
WRITING = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE|INTO)\b", re.IGNORECASE)
# Logging in writes this column of the person's row; no page shows it.
LOGGING_IN = re.compile(r'UPDATE "account_user" SET "last_login" = \S+ WHERE')
# Each look at a page is a row. A number of views may be some seconds late; if every look made pages old, none was kept.
NOT_WATCHED = {"actions_view"}
LONGEST_REMEMBERED = 20_000  # characters


class Effect(NamedTuple):
    reads: frozenset[str]
    writes: frozenset[str]


NOTHING: frozenset[str] = frozenset()


def effect_of(sql: Any) -> Effect:
    """Return what the statement reads and writes; not a text, as psycopg's composed SQL, it may do anything."""
    if not isinstance(sql, str):
        return Effect(all_tables(), frozenset({EVERYTHING}))
    return _remembered(sql) if len(sql) < LONGEST_REMEMBERED else _effect_of(sql)


def _effect_of(sql: str) -> Effect:
    plain = PLAIN_WRITE.match(sql)
    if plain and plain[1] in all_tables():
        table = frozenset({plain[1]})
        return Effect(table, NOTHING if LOGGING_IN.match(sql) else table - NOT_WATCHED)
    beginning = BEGINNING.match(sql)
    word = ((beginning and beginning[1]) or "").lower()
    is_single = ";" not in sql.rstrip("; \n\t")
    if is_single and word in HARMLESS:
        return Effect(NOTHING, NOTHING)
    if is_single and word in QUESTIONS and not WRITING.search(LOCKING.sub("", sql)):
        return Effect(_mentioned(sql) or all_tables(), NOTHING)
    written = (_mentioned(sql) - NOT_WATCHED) or frozenset({EVERYTHING})
    return Effect(_mentioned(sql) or all_tables(), written)


_remembered = lru_cache(maxsize=2000)(_effect_of)


def _mentioned(sql: str) -> frozenset[str]:
    """Return the tables of ours whose names stand in the text, quoted or not, in capitals or after a schema's name."""
    return frozenset(re.findall(r"\w+", sql.lower())) & all_tables()


@cache
def all_tables() -> frozenset[str]:
    return frozenset(model._meta.db_table for model in apps.get_models(include_auto_created=True))
