"""
What a SQL statement reads and writes, told by its text and its parameters, in names of what can change:

- `shop_product`: which rows there are; an INSERT or DELETE changes it
- `shop_product.price`: a column; an UPDATE changes those that it sets, and with them `shop_product.*`, any column
- `shop_product.id=17`, `blog_comment.post_id=17`: the rows with this primary or foreign key
- `shop_product.id=?`: rows of which the write does not say which; whoever reads one by its key reads this too

What the ORM sends is understood exactly. Of anything else (raw SQL, in whatever spelling) every table of ours whose name
stands in the text counts as a whole, and where none does, all of them: a statement that nobody understands makes too
many pages old, never too few. A SELECT counts as reading only, so no function that it could call may write (a test asks
the database for such functions).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from .columns import all_tables, columns_of, foreign_keys, generated_columns, primary_key

EVERYTHING = "*"  # stands for all tables where a statement does not say which it writes

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
FROM = re.compile(r"\bFROM\b", re.IGNORECASE)
# Asterisks that stand for no column of a table.
NAMED_BELOW = re.compile(r"\bCOUNT\(\*\)|\bSELECT\s+\*\s+FROM\s*\(", re.IGNORECASE)
# Each look at a page is a row. A number of views may be some seconds late; if every look made pages old, none was kept.
NOT_WATCHED = {"actions_view"}
# Each login writes this column of the person's row; no page shows it.
NOT_SHOWN = {"account_user.last_login"}
LONGEST_REMEMBERED = 20_000  # characters
MOST_KEYS = 100  # more rows than that are read as a list

# As the ORM writes.
INSERT = re.compile(
    r'INSERT (?:OR IGNORE )?INTO "(?P<table>\w+)" \((?P<columns>[^()]*)\) (?!.* DO UPDATE )[^;]*\Z', re.S
)
VALUES = re.compile(r" VALUES (\(%s[%s, ]*\)(?:, \(%s[%s, ]*\))*)(?: ON CONFLICT DO NOTHING)?(?: RETURNING [^()]*)?\Z")
UPDATE = re.compile(r'UPDATE "(?P<table>\w+)" SET [^;]*\Z')
DELETE = re.compile(r'DELETE FROM "(?P<table>\w+)"(?: WHERE [^;]*)?\Z')
FIRST_TABLE = re.compile(r' FROM "(\w+)"')
INNERMOST = re.compile(r"\([^()]*\)")
CLAUSE = re.compile(
    r"[()]| (?:FROM|WHERE|AND|OR|GROUP BY|HAVING|ORDER BY|LIMIT|UNION|INTERSECT|EXCEPT|FOR|RETURNING)\b"
)
KEY = re.compile(r'"(?P<table>\w+)"\."(?P<column>\w+)" (?:= %s|IN \(%s(?:, %s)*\))')

Names = frozenset[str]
NOTHING: Names = frozenset()


class Reading(NamedTuple):
    """What is read of a table, and the part of it that decides which rows are read; the rest is how they look."""

    all: Names
    deciding: Names


class Effect(NamedTuple):
    reads: dict[str, Reading]  # by table
    writes: Names


class Key(NamedTuple):
    """A key, and which of the parameters are its values."""

    table: str
    column: str
    parameters: range
    is_one: bool = False  # by "=": the row is there, or nothing is kept

    def names(self, params: Any) -> Names:
        """Name the rows, or say that nobody knows which."""
        if not isinstance(params, list | tuple) or len(params) < self.parameters.stop:
            return nobodys(self.table, {self.column})
        return frozenset(f"{self.table}.{self.column}={params[number]}" for number in self.parameters)


class Understood(NamedTuple):
    """The effect of a statement whatever its parameters are, and the keys that they are the values of."""

    reads: dict[str, Reading]
    writes: Names
    read_key: Key | None = None
    written_keys: tuple[Key, ...] = ()


def effect_of(sql: Any, params: Any = None) -> Effect:
    """Return what the statement reads and writes; not a text, as psycopg's composed SQL, it may do anything."""
    if not isinstance(sql, str):
        return Effect(_wholly_read(all_tables()), frozenset({EVERYTHING}))
    reads, writes, read_key, written_keys = _remembered(sql) if len(sql) < LONGEST_REMEMBERED else _understood(sql)
    if read_key:
        rows = read_key.names(params) | nobodys(read_key.table, {read_key.column})
        reads = {**reads, read_key.table: Reading(*(names | rows for names in reads[read_key.table]))}
    return Effect(reads, writes.union(*(key.names(params) for key in written_keys)))


def _understood(sql: str) -> Understood:
    for shape, understand in ((INSERT, _insert), (UPDATE, _update), (DELETE, _delete)):
        found = shape.match(sql)
        if found and found["table"] in all_tables():
            return Understood({}, NOTHING) if found["table"] in NOT_WATCHED else understand(sql, found)
    beginning = BEGINNING.match(sql)
    word = ((beginning and beginning[1]) or "").lower()
    is_single = ";" not in sql.rstrip("; \n\t")
    if is_single and word in HARMLESS:
        return Understood({}, NOTHING)
    if is_single and word in QUESTIONS and not WRITING.search(LOCKING.sub("", sql)):
        return _question(sql, word)
    tables = _mentioned(sql)
    return Understood(_wholly_read(tables), NOTHING.union(*map(whole, tables - NOT_WATCHED)) or frozenset({EVERYTHING}))


_remembered = lru_cache(maxsize=2000)(_understood)

# --- Writes ---------------------------------------------------------------------------------------------------------


def _insert(sql: str, found: re.Match[str]) -> Understood:
    table, columns = found["table"], re.findall(r'"(\w+)"', found["columns"])
    rows, keys = VALUES.search(sql), foreign_keys(table) & set(columns)
    values = rows[1].count("%s") if rows else 0
    if not rows or values != len(columns) * rows[1].count("("):
        return Understood({}, frozenset({table}) | nobodys(table, foreign_keys(table)))
    return Understood(
        {},
        frozenset({table}),
        written_keys=tuple(Key(table, key, range(columns.index(key), values, len(columns))) for key in keys),
    )


def _update(sql: str, found: re.Match[str]) -> Understood:
    table = found["table"]
    columns = columns_of(table) & _words(_before_where(sql)) | generated_columns(table)
    names = frozenset(f"{table}.{column}" for column in columns)
    return (
        _written_rows(sql, table, names | {f"{table}.*"}) if not names or names - NOT_SHOWN else Understood({}, NOTHING)
    )


def _before_where(sql: str) -> str:
    wheres = [word.start() for word in _outermost(sql, 0, len(sql)) if word[0] == " WHERE"]
    return sql[: wheres[0]] if len(wheres) == 1 and "'" not in sql else sql


def _delete(sql: str, found: re.Match[str]) -> Understood:
    table = found["table"]
    return _written_rows(sql, table, frozenset({table}) | nobodys(table, foreign_keys(table)))


def _written_rows(sql: str, table: str, names: Names) -> Understood:
    key = _key(sql, table, {primary_key(table)})
    return Understood({}, names, None, (key,)) if key else Understood({}, names | nobodys(table, {primary_key(table)}))


def whole(table: str) -> Names:
    """Name all that can change about a table."""
    columns = frozenset(f"{table}.{column}" for column in columns_of(table))
    return columns | {table, f"{table}.*"} | nobodys(table, {primary_key(table), *foreign_keys(table)})


def nobodys(table: str, columns: Iterable[str]) -> Names:
    return frozenset(f"{table}.{column}=?" for column in columns)


# --- Reads ----------------------------------------------------------------------------------------------------------


def _question(sql: str, word: str) -> Understood:
    tables = _mentioned(sql)
    if word == "table" or "*" in NAMED_BELOW.sub("", sql) or not tables:
        return Understood(_wholly_read(tables or all_tables()), NOTHING)
    deciding = sql[from_.start() :] if (from_ := FROM.search(sql)) else sql
    reads = {table: Reading(_columns(table, sql), _columns(table, deciding)) for table in tables}
    for table in tables:
        if _is_joined_by_key(sql, table):
            reads[table] = Reading(*(names - {table} for names in reads[table]))
    key = _read_key(sql)
    if key:
        reads[key.table] = Reading(*(_besides(key, names) for names in reads[key.table]))
    return Understood(reads, NOTHING, key)


def _besides(key: Key, names: Names) -> Names:
    """Return what of the names still counts where rows are picked by the key."""
    if key.column != primary_key(key.table):
        return names - {key.table}
    return NOTHING if key.is_one else names & {key.table}  # of several rows one may be missing, and come


def _columns(table: str, part: str) -> Names:
    """Name the columns that the part may speak of: another table's of the same name count too."""
    return frozenset({table, *(f"{table}.{column}" for column in columns_of(table) & _words(part))})


def _wholly_read(tables: Iterable[str]) -> dict[str, Reading]:
    return {table: Reading(*[frozenset({table, f"{table}.*"})] * 2) for table in tables}


def _is_joined_by_key(sql: str, table: str) -> bool:
    """Tell whether the table only adds to each row the one that it points at: which others there are is no matter."""
    key, other = rf'"?{table}"?\."?{primary_key(table)}"?', r'[\w".]+'
    joined = rf'\bJOIN "?{table}"? ON (?:\({other} = {key}\)|{key} = {other}\s+WHERE\b)'
    return len(re.findall(joined, sql)) == _times_asked(sql, table) == 1


def _read_key(sql: str) -> Key | None:
    """Return the key by which the rows of the first table are picked, if they are."""
    table = _listed_from(sql)
    if table not in all_tables() or _times_asked(sql, table) != 1 or re.search(r" (?:UNION|INTERSECT|EXCEPT) ", sql):
        return None
    return _key(sql, table, {primary_key(table)}) or _key(sql, table, foreign_keys(table))


def _listed_from(sql: str) -> str:
    """Return the first table of a statement that gives a row for each of the table's: it may ask beside it, not add up."""
    from_ = next((found.start() for found in _outermost(sql, 0, len(sql)) if found[0] == " FROM"), len(sql))
    listed, table = sql[:from_], FIRST_TABLE.match(sql, from_)
    while INNERMOST.search(listed):
        listed = INNERMOST.sub("[]", listed)
    return table[1] if table and "[]" not in listed.replace("EXISTS[]", "") else ""


def _times_asked(sql: str, table: str) -> int:
    """Count where the table's name stands by itself, and not before one of its columns, in any spelling."""
    return len(re.findall(rf'\b{table}\b(?!"?\.)', sql, re.IGNORECASE))


# --- Conditions -----------------------------------------------------------------------------------------------------


def _key(sql: str, table: str, columns: Iterable[str]) -> Key | None:
    """Return which of the columns the statement's WHERE gives values, all of them parameters."""
    if "'" in sql or "%%" in sql:  # what stands in a text could be taken for SQL
        return None
    for start, condition in _conditions(sql):
        found = KEY.fullmatch(condition)
        if found and found["table"] == table and found["column"] in columns:
            first, count = sql.count("%s", 0, start), condition.count("%s")
            places = range(first, first + count)
            return Key(table, found["column"], places, condition.endswith("= %s")) if count <= MOST_KEYS else None
    return None


def _conditions(sql: str) -> list[tuple[int, str]]:
    """Return what the statement's own WHERE joins by AND, each with its place in the statement."""
    outermost = _outermost(sql, 0, len(sql))
    where = next((number for number, found in enumerate(outermost) if found[0] == " WHERE"), None)
    if where is None:
        return []
    start = outermost[where].end() + 1
    end = next((found.start() for found in outermost[where:] if found[0] not in (" WHERE", " AND", " OR")), len(sql))
    if sql[start] == "(" and sql[end - 1] == ")" and not _outermost(sql, start, end):
        start, end = start + 1, end - 1
    words = _outermost(sql, start, end)
    if any(word[0] == " OR" for word in words):
        return []
    starts = [start, *(word.end() + 1 for word in words)]
    ends = [*(word.start() for word in words), end]
    return [(first, sql[first:last]) for first, last in zip(starts, ends, strict=True)]


def _outermost(sql: str, start: int, end: int) -> list[re.Match[str]]:
    """Return the words that part a statement, without those in parentheses."""
    depth, words = 0, []
    for found in CLAUSE.finditer(sql, start, end):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0 and found[0] != ")":
            words.append(found)
    return words


def _mentioned(sql: str) -> frozenset[str]:
    """Return the tables of ours whose names stand in the text, quoted or not, in capitals or after a schema's name."""
    return _words(sql) & all_tables()


def _words(sql: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", sql.lower()))
