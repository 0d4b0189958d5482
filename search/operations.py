"""
The migration operations that make documents searchable: one schema for each database.

It belongs after every change to the table `search_document`: Django rebuilds a table on SQLite to alter it, which
drops the triggers, and PostgreSQL refuses to alter a column that the generated one is made of. A later migration that
alters the model has MakeSearchable before it in reverse (`DROP`) and again after it.
"""

import string
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

# PostgreSQL's parser takes "example.com", "and/or" or "5.2" for one word; with spaces instead, it is several.
_PUNCTUATION = string.punctuation.replace("'", "''")
_SPACES = " " * len(string.punctuation)


def _weighted(column: str, weight: str) -> str:
    return f"setweight(to_tsvector('atelier', translate({column}, '{_PUNCTUATION}', '{_SPACES}')), '{weight}')"


# What is ranked: short, so that it is read quickly however long the text is.
_HEADINGS = f"{_weighted('title', 'A')} || {_weighted('tags', 'B')}"
# No words, and not to be typed: the kind, and in which block of so many documents it lies. With them the index itself
# finds the newest matches, and those of a kind; it knows no other order.
BLOCKS = (10, 12, 14, 16, 18)  # powers of two
_MARKS = "array_to_tsvector(ARRAY['~' || kind::text, {}])".format(
    ", ".join(f"'~{bits}.' || (id >> {bits})::text" for bits in BLOCKS)
)

_COLUMNS_AND_INDEX = [
    "ALTER TABLE search_document ADD COLUMN vector tsvector GENERATED ALWAYS AS ("
    f"{_HEADINGS} || {_weighted('summary', 'C')} || {_weighted('body', 'D')} || {_MARKS}) STORED, "
    f"ADD COLUMN headings tsvector GENERATED ALWAYS AS ({_HEADINGS}) STORED",
    "CREATE INDEX search_document_vector ON search_document USING gin (vector) WITH (fastupdate = off)",
]
_WITHOUT = "ALTER TABLE search_document DROP COLUMN vector, DROP COLUMN IF EXISTS headings"

# English stems without stop words (a band may be called The Who; query.py drops them where they do not matter);
# accents count for nothing; words of other languages pass the stemmer on both sides alike and are found.
POSTGRESQL = [
    "CREATE EXTENSION IF NOT EXISTS unaccent",
    "CREATE TEXT SEARCH DICTIONARY atelier_stem (TEMPLATE = snowball, LANGUAGE = english)",
    "CREATE TEXT SEARCH CONFIGURATION atelier (COPY = simple)",
    "ALTER TEXT SEARCH CONFIGURATION atelier ALTER MAPPING FOR asciiword, asciihword, hword_asciipart "
    "WITH atelier_stem",
    "ALTER TEXT SEARCH CONFIGURATION atelier ALTER MAPPING FOR "
    "word, hword, hword_part, numword, numhword, hword_numpart WITH unaccent, atelier_stem",
    *_COLUMNS_AND_INDEX,
]
POSTGRESQL_REVERSE = [
    _WITHOUT,
    "DROP TEXT SEARCH CONFIGURATION atelier",
    "DROP TEXT SEARCH DICTIONARY atelier_stem",
]

_COLUMNS = "title, tags, summary, body, kind"
_OLD = ", ".join(f"old.{column}" for column in _COLUMNS.split(", "))
_NEW = _OLD.replace("old.", "new.")
_OUT = f"INSERT INTO search_fts(search_fts, rowid, {_COLUMNS}) VALUES ('delete', old.id, {_OLD});"
_IN = f"INSERT INTO search_fts(rowid, {_COLUMNS}) VALUES (new.id, {_NEW});"
SQLITE = [
    f"CREATE VIRTUAL TABLE search_fts USING fts5({_COLUMNS}, content='search_document', content_rowid='id', "
    # Marks belong to their letter: without the categories, Thai and Hindi words would be cut at each of them.
    "tokenize=\"porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'\", prefix='2 3')",
    f"CREATE TRIGGER search_document_in AFTER INSERT ON search_document BEGIN {_IN} END",
    f"CREATE TRIGGER search_document_out AFTER DELETE ON search_document BEGIN {_OUT} END",
    f"CREATE TRIGGER search_document_anew AFTER UPDATE OF {_COLUMNS} ON search_document BEGIN {_OUT} {_IN} END",
    "INSERT INTO search_fts(search_fts) VALUES ('rebuild')",
]
SQLITE_REVERSE = [
    "DROP TRIGGER search_document_in",
    "DROP TRIGGER search_document_out",
    "DROP TRIGGER search_document_anew",
    "DROP TABLE search_fts",
]


class MakeSearchable(Operation):
    """Give the documents what their database searches with: a stored tsvector, or an FTS5 table and its triggers."""

    reversible = True
    reduces_to_sql = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        _run(schema_editor, POSTGRESQL, SQLITE)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        _run(schema_editor, POSTGRESQL_REVERSE, SQLITE_REVERSE)

    def describe(self) -> str:
        return "Make documents searchable"


class MakeSearchableAnew(MakeSearchable):
    """Do it again, after it has become another thing. Going back leaves it: what searched before can do with more."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        # The text search configuration stays: connections that are open have it in their plans.
        _run(schema_editor, [_WITHOUT, *_COLUMNS_AND_INDEX], [*SQLITE_REVERSE, *SQLITE])

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        pass

    def describe(self) -> str:
        return "Make documents searchable anew"


def _run(schema_editor: BaseDatabaseSchemaEditor, postgresql: list[str], sqlite: list[str]) -> None:
    for statement in postgresql if schema_editor.connection.vendor == "postgresql" else sqlite:
        # params=None: nothing is interpolated, so the % among the punctuation stays a %.
        schema_editor.execute(statement, params=None)
