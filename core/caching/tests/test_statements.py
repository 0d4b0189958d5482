"""What a statement reads and writes is told by its text, in every spelling; what cannot be told is everything."""

import ast
import gc
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from core.caching.columns import all_tables
from core.caching.statements import EVERYTHING, effect_of, whole

CATEGORY, PRODUCT = frozenset({"shop_category"}), frozenset({"shop_product"})
BOTH = CATEGORY | PRODUCT

WRITES = {
    'INSERT INTO "shop_category" ("name") VALUES (%s)': CATEGORY,
    'INSERT OR IGNORE INTO "shop_category" ("name") VALUES (%s)': CATEGORY,
    'UPDATE "shop_category" SET "name" = (SELECT "name" FROM "shop_product")': CATEGORY,
    'DELETE FROM "shop_category" WHERE "id" IN (SELECT "id" FROM "shop_product")': CATEGORY,
    "INSERT INTO shop_category (name) VALUES (%s)": CATEGORY,
    "insert into SHOP_CATEGORY (name) values (%s)": CATEGORY,
    "  \n\tUPDATE shop_category SET name = %s": CATEGORY,
    "/* a note */ UPDATE shop_category SET name = %s": CATEGORY,
    "/* a /* deep */ note */ UPDATE shop_category SET name = %s": CATEGORY,
    "-- a note\n-- another\nDELETE FROM shop_category": CATEGORY,
    'UPDATE "public"."shop_category" SET "name" = %s': CATEGORY,
    "UPDATE public.shop_category SET name = %s": CATEGORY,
    'UPDATE ONLY "shop_category" SET "name" = %s': CATEGORY,
    "UPDATE OR REPLACE shop_category SET name = %s": CATEGORY,
    "REPLACE INTO shop_category (id, name) VALUES (1, %s)": CATEGORY,
    "INSERT OR REPLACE INTO shop_category (id, name) VALUES (1, %s)": CATEGORY,
    'TRUNCATE "shop_category", "shop_product" RESTART IDENTITY': BOTH,
    "TRUNCATE TABLE ONLY shop_category": CATEGORY,
    "COPY shop_category (name) FROM STDIN": CATEGORY,
    "MERGE INTO shop_category USING shop_product ON true WHEN MATCHED THEN DELETE": BOTH,
    "WITH gone AS (DELETE FROM shop_category RETURNING id) SELECT * FROM gone": CATEGORY,
    "WITH one AS (SELECT 1 AS id) INSERT INTO shop_category SELECT id FROM one": CATEGORY,
    "(WITH gone AS (DELETE FROM shop_category RETURNING id) SELECT * FROM gone)": CATEGORY,
    "EXPLAIN ANALYZE DELETE FROM shop_category": CATEGORY,
    "SELECT 1; DELETE FROM shop_category": CATEGORY,
    'UPDATE "shop_product" SET "name" = %s; DELETE FROM "shop_category"': BOTH,
    "BEGIN; DELETE FROM shop_category": CATEGORY,
    "ALTER TABLE shop_category ADD COLUMN x integer": CATEGORY,
    "DROP TABLE shop_category": CATEGORY,
    "SELECT * INTO shop_category FROM shop_product": BOTH,
    "PREPARE gone AS DELETE FROM shop_category": CATEGORY,
    "EXECUTE gone": {EVERYTHING},
    "DO $$ BEGIN PERFORM f(); END $$": {EVERYTHING},
    "CALL clean_up()": {EVERYTHING},
    "UPDATE of_another_program SET x = 1": {EVERYTHING},
    'DELETE FROM U&"\\0073hop_category"': {EVERYTHING},
    "": {EVERYTHING},
    # What is not worth a new page (core/caching/statements.py says why).
    'UPDATE "account_user" SET "last_login" = %s WHERE "account_user"."id" = %s': set(),
    'UPDATE "account_user" SET "last_login" = %s, "first_name" = %s WHERE "account_user"."id" = %s': {"account_user"},
    'INSERT INTO "actions_view" ("target_id") VALUES (%s) ON CONFLICT DO NOTHING': set(),
}
READS = {
    'SELECT "shop_category"."id" FROM "shop_category" WHERE "id" = %s FOR UPDATE': CATEGORY,
    "SELECT id FROM shop_category FOR NO KEY UPDATE SKIP LOCKED": CATEGORY,
    "(SELECT id FROM shop_category) UNION ALL (SELECT id FROM SHOP_PRODUCT)": BOTH,
    "/* a note */ WITH c AS (SELECT id FROM public.shop_category) SELECT id FROM c": CATEGORY,
    "EXPLAIN SELECT id FROM shop_category": CATEGORY,
    "TABLE shop_category": CATEGORY,
    "SAVEPOINT s1": set(),
    'ROLLBACK TO SAVEPOINT "s1"': set(),
    "BEGIN": set(),
    "PRAGMA foreign_keys = ON": set(),
    "ANALYZE": set(),
}


def tables_in(names):
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("sql", WRITES)
def test_what_a_statement_writes(sql):
    assert tables_in(effect_of(sql).writes) == WRITES[sql]


@pytest.mark.parametrize("sql", READS)
def test_what_a_statement_reads(sql):
    reads, writes = effect_of(sql)

    assert (reads.keys(), writes) == (READS[sql], set())


@pytest.mark.parametrize("sql", ["SELECT * FROM a_view", "SELECT f(%s)", "VALUES (1)"])
def test_a_question_that_names_no_table_of_ours_may_read_all_of_them(sql):
    reads, writes = effect_of(sql)

    assert (reads.keys(), writes) == (all_tables(), set())
    assert all(f"{table}.*" in reads[table].all for table in reads)


def test_what_is_no_text_may_do_anything():
    reads, writes = effect_of(object())

    assert (reads.keys(), writes) == (all_tables(), {EVERYTHING})


def test_a_long_statement_is_understood_as_a_short_one():
    rows = ", ".join(["(%s)"] * 9000)

    assert tables_in(effect_of(f"INSERT INTO shop_category (name) VALUES {rows}").writes) == CATEGORY


# --- Rows and columns ------------------------------------------------------------------------------------------------

ALL_ROWS = {"blog_comment.author_id=?", "blog_comment.id=?", "blog_comment.post_id=?"}
NAMED_WRITES = [
    # An INSERT names its foreign keys.
    (
        'INSERT INTO "blog_comment" ("post_id", "body") VALUES (%s, %s)',
        (17, "x"),
        {"blog_comment", "blog_comment.post_id=17"},
    ),
    (
        'INSERT INTO "blog_comment" ("body", "post_id") VALUES (%s, %s), (%s, %s) RETURNING "blog_comment"."id"',
        ("x", 17, "y", 18),
        {"blog_comment", "blog_comment.post_id=17", "blog_comment.post_id=18"},
    ),
    (
        'INSERT OR IGNORE INTO "blog_comment" ("post_id", "body") VALUES (%s, UPPER(%s))',
        (17, "x"),
        {"blog_comment", "blog_comment.author_id=?", "blog_comment.post_id=?"},
    ),
    (
        'INSERT INTO "blog_comment" ("post_id") SELECT * FROM UNNEST((%s)::bigint[])',
        ([17],),
        {"blog_comment", "blog_comment.author_id=?", "blog_comment.post_id=?"},
    ),
    # An UPDATE names its columns, and the rows if it picks them by their primary key.
    (
        'UPDATE "blog_comment" SET "state" = %s WHERE "blog_comment"."id" = %s',
        ("approved", 5),
        {"blog_comment.*", "blog_comment.state", "blog_comment.id=5"},
    ),
    (
        'UPDATE "blog_comment" SET "state" = %s, "body" = (%s) WHERE ("blog_comment"."state" = %s AND "blog_comment"."id" IN (%s, %s))',
        ("approved", "x", "waiting", 5, 6),
        {"blog_comment.*", "blog_comment.state", "blog_comment.body", "blog_comment.id=5", "blog_comment.id=6"},
    ),
    (
        'UPDATE "blog_comment" SET "state" = %s WHERE ("blog_comment"."id" = %s OR "blog_comment"."state" = %s)',
        ("approved", 5, "waiting"),
        {"blog_comment.*", "blog_comment.state", "blog_comment.id=?"},
    ),
    (
        'UPDATE "blog_comment" SET "state" = %s WHERE NOT ("blog_comment"."id" = %s)',
        ("approved", 5),
        {"blog_comment.*", "blog_comment.state", "blog_comment.id=?"},
    ),
    # In a text, what looks like SQL is none.
    (
        """UPDATE "blog_comment" SET "body" = ' WHERE ', "state" = %s WHERE "blog_comment"."id" = %s""",
        ("x", 5),
        {"blog_comment.*", "blog_comment.body", "blog_comment.state", "blog_comment.id", "blog_comment.id=?"},
    ),
    ('UPDATE "blog_comment" SET "state" = %s', ("x",), {"blog_comment.*", "blog_comment.state", "blog_comment.id=?"}),
    # Unquoted, as no ORM writes it, it is a column all the same.
    ('UPDATE "blog_comment" SET state = %s', ("x",), {"blog_comment.*", "blog_comment.state", "blog_comment.id=?"}),
    (
        'DELETE FROM "blog_comment" WHERE "blog_comment"."id" IN (%s, %s)',
        (5, 6),
        {
            "blog_comment",
            "blog_comment.author_id=?",
            "blog_comment.post_id=?",
            "blog_comment.id=5",
            "blog_comment.id=6",
        },
    ),
    ('DELETE FROM "blog_comment" WHERE "blog_comment"."post_id" = %s', (17,), {"blog_comment", *ALL_ROWS}),
    (
        'INSERT INTO "blog_comment" ("id") VALUES (%s) ON CONFLICT ("id") DO UPDATE SET "body" = %s',
        (5, "x"),
        whole("blog_comment"),
    ),
    ("UPDATE blog_comment SET state = %s WHERE id = %s", ("x", 5), whole("blog_comment")),
]


@pytest.mark.parametrize(("sql", "params", "names"), NAMED_WRITES)
def test_a_write_names_rows_and_columns_when_its_sql_says_so(sql, params, names):
    assert effect_of(sql, params).writes == names


def test_a_column_that_the_database_works_out_changes_with_any_other():
    written = effect_of('UPDATE "shop_product" SET "stock" = %s WHERE "shop_product"."id" = %s', (1, 5)).writes

    assert written == {"shop_product.*", "shop_product.stock", "shop_product.is_in_stock", "shop_product.id=5"}


def test_the_same_statement_with_many_parameters_names_no_rows():
    assert (
        "blog_comment.id=?" in effect_of('UPDATE "blog_comment" SET "state" = %s WHERE "blog_comment"."id" = %s').writes
    )


IMAGE = 'SELECT "images_image"."title" FROM "images_image" WHERE '
OF_3 = {"images_image.owner_id=3", "images_image.owner_id=?", "images_image.owner_id", "images_image.title"}
ROW_5 = {"images_image.id=5", "images_image.id=?"}
LIKED = 'EXISTS(SELECT %s AS "a" FROM "images_like" U0 WHERE (U0."image_id" = ("images_image"."id") AND U0."id" > 1) LIMIT 1)'
NAMED_READS = [
    (f'{IMAGE}"images_image"."id" = %s', (5,), ROW_5),
    (
        f'{IMAGE}("images_image"."status" = %s AND "images_image"."id" = %s) ORDER BY "images_image"."id" LIMIT 1',
        ("ready", 5),
        ROW_5,
    ),
    # One of them may be missing, and come.
    (f'{IMAGE}"images_image"."id" IN (%s, %s)', (5, 6), ROW_5 | {"images_image", "images_image.id=6"}),
    (f'{IMAGE}"images_image"."owner_id" IN (%s)', (3,), OF_3),
    (f'{IMAGE}"images_image"."owner_id" = %s', (3,), OF_3),
    (
        f'{IMAGE}("images_image"."id" = %s OR "images_image"."title" = %s)',
        (5, "x"),
        {"images_image", "images_image.id", "images_image.title"},
    ),
    (f'{IMAGE}NOT ("images_image"."id" = %s)', (5,), {"images_image", "images_image.id", "images_image.title"}),
    (
        f'{IMAGE}"images_image"."id" = %s UNION {IMAGE}"images_image"."id" > %s',
        (5, 6),
        {"images_image", "images_image.id", "images_image.title"},
    ),
    (
        f'{IMAGE}("images_image"."id" = %s AND EXISTS(SELECT 1 FROM "images_image" U0 WHERE U0."title" = %s))',
        (5, "x"),
        {"images_image", "images_image.id", "images_image.title"},
    ),
    (
        'SELECT COUNT(*) FROM "images_image" WHERE "images_image"."status" = %s',
        ("ready",),
        {"images_image", "images_image.status"},
    ),
    (  # one row for each of the table's, whatever is asked beside it
        f'SELECT "images_image"."title", {LIKED} AS "liked" FROM "images_image" WHERE "images_image"."id" = %s',
        (1, 5),
        {"images_image.id=5", "images_image.id=?"},
    ),
    (  # one row though there is none
        f'SELECT {LIKED} AS "liked", COUNT(%s) FROM "images_image" WHERE "images_image"."id" = %s',
        (1, 2, 5),
        {"images_image", "images_image.id"},
    ),
    ("SELECT * FROM images_image", (), {"images_image", "images_image.*"}),
    ("SELECT title FROM images_image", (), {"images_image", "images_image.title"}),
    ("SELECT * FROM (SELECT title FROM images_image) AS i", (), {"images_image", "images_image.title"}),
    ("SELECT * FROM (SELECT * FROM images_image) AS i", (), {"images_image", "images_image.*"}),
]


@pytest.mark.parametrize(("sql", "params", "names"), NAMED_READS)
def test_a_read_names_rows_or_columns_when_its_sql_says_so(sql, params, names):
    assert effect_of(sql, params).reads["images_image"].all == names


def test_of_a_table_that_is_joined_by_its_key_only_columns_are_read():
    """Which other people there are changes nothing about whose picture it is."""
    joined = '"account_user" ON ("images_image"."owner_id" = "account_user"."id")'
    sql = f'SELECT "account_user"."username" FROM "images_image" INNER JOIN {joined}'

    by_hand = "SELECT username FROM images_image JOIN account_user ON account_user.id = owner_id WHERE"
    names = {"account_user.id", "account_user.username"}

    assert effect_of(sql).reads["account_user"].all == names
    assert effect_of(f"{by_hand} title = %s", ("x",)).reads["account_user"].all == names
    assert effect_of(f"{by_hand} EXISTS (SELECT 1 FROM account_user)").reads["account_user"].all == names | {
        "account_user"
    }


def test_what_decides_on_rows_stands_behind_from():
    sql = 'SELECT "images_image"."total_likes" FROM "images_image" WHERE "images_image"."status" = %s'

    assert effect_of(sql, ("ready",)).reads["images_image"].deciding == {"images_image", "images_image.status"}


# --- The project's own -----------------------------------------------------------------------------------------------

NOT_THE_SITE = {"tests", "bench", ".venv", "var", "conftest.py", "statements.py"}
WRITING = re.compile(
    r"^\W*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|MERGE\s+INTO|COPY)"
    r'\s+(?:ONLY\s+)?"?(\w+)'
)
# Around Django's cursor, where nothing is watched.
UNWATCHED = {"copy_expert", "copy_from", "callproc", "executescript", "iterdump", "cursor_factory"}


def parsed(path: Path) -> ast.AST:
    # Python before 3.12 miscounts its depth when the collector runs somebody's __del__ meanwhile (gh-106905).
    gc.disable()
    try:
        return ast.parse(path.read_text())
    finally:
        gc.enable()


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for path in Path(settings.BASE_DIR).rglob("*.py"):
        if not NOT_THE_SITE & set(path.relative_to(settings.BASE_DIR).parts):
            yield path, parsed(path)


def texts(tree: ast.AST) -> Iterator[str]:
    """Give the strings of a module; what an f-string puts in becomes a name that no table has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "put_in" for part in node.values)


def test_every_raw_statement_of_the_site_that_writes_is_seen():
    found = {}
    for path, tree in sources():
        for text in texts(tree):
            written = WRITING.match(text)
            if written and " " in text.strip():
                found[text] = frozenset(tables_in(effect_of(text).writes))
                assert found[text] & {written[1].lower(), EVERYTHING}, (path, text)

    assert {"actions_viewcount"} in found.values()  # it finds what is there
    assert {"search_word"} in found.values()


def test_nothing_writes_past_the_watch():
    for path, tree in sources():
        if path.relative_to(settings.BASE_DIR) == Path("core/serving/start.py"):
            continue  # it tells each new connection how long to wait, and asks nothing
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute):
                continue
            where = (path, node.lineno, ast.unparse(node))
            assert node.attr not in UNWATCHED, where
            # A driver's own connection or cursor, and psycopg's cursor.copy().
            assert not ast.unparse(node).endswith(("connection.connection", "cursor.cursor", "cursor.copy")), where


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no stored functions")
def test_no_function_that_a_question_could_call_writes():
    """PostgreSQL refuses to write from a function that is declared stable or immutable."""
    ours = (
        "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace LEFT JOIN pg_depend d "
        "ON d.objid = pg_proc.oid AND d.deptype = 'e' WHERE n.nspname = current_schema() AND d.objid IS NULL "
    )
    with connection.cursor() as cursor:
        cursor.execute(ours)
        assert cursor.fetchall()
        cursor.execute(f"{ours} AND provolatile = 'v' AND prorettype <> 'trigger'::regtype")
        assert cursor.fetchall() == []
