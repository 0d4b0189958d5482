"""Versions: every committed write of every process sets them, what is rolled back does not, and nothing else depends on it."""

import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import skipIf
from unittest.mock import Mock, patch

import pytest
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase

from actions.flush import flush_rows
from actions.models import View, ViewCount
from core.caching import versions
from core.caching.statements import EVERYTHING, all_tables
from core.caching.versions import TableVersions, recorded, table_versions
from shop.models import Category

CATEGORY = "shop_category"
WORD = "search_word"
COLUMNS = "(word, documents)"
ANYWHERE = [
    f"INSERT INTO {WORD} {COLUMNS} VALUES ('a', 1)",
    f"/* note */ INSERT INTO {WORD} {COLUMNS} VALUES ('b', 1)",
    f"-- note\nUPDATE {WORD} SET documents = 2",
    f"WITH one AS (SELECT 'd' AS word) INSERT INTO {WORD} {COLUMNS} SELECT word, 1 FROM one",
    f"DELETE FROM {WORD.upper()}",
]
POSTGRESQL = [
    f"INSERT INTO public.{WORD} {COLUMNS} VALUES ('a', 1)",
    f'UPDATE "public"."{WORD}" SET documents = 2',
    f"WITH gone AS (DELETE FROM {WORD} RETURNING word) SELECT count(*) FROM gone",
    f"MERGE INTO {WORD} w USING (SELECT 'm' AS word) o ON w.word = o.word "
    "WHEN NOT MATCHED THEN INSERT (word, documents) VALUES ('m', 1)",
    f"DO $$ BEGIN DELETE FROM {WORD}; END $$",
    f"TRUNCATE {WORD} CASCADE",
]
SQLITE = [
    f"REPLACE INTO main.{WORD} {COLUMNS} VALUES ('a', 1)",
    f"INSERT OR REPLACE INTO [{WORD}] {COLUMNS} VALUES ('a', 1)",
    f"UPDATE OR IGNORE `{WORD}` SET documents = 2",
]


class SeenTests(TransactionTestCase):
    @contextmanager
    def changes(self, *tables):
        """Check that exactly these tables have changed at the end of the block."""
        before = table_versions().all()
        yield
        assert {
            table for table in all_tables() if table_versions().of([table]) != table_versions().of([table], before)
        } == set(tables)

    def execute(self, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)

    def test_raw_sql_in_every_spelling_is_seen(self):
        for sql in [*ANYWHERE, *(POSTGRESQL if connection.vendor == "postgresql" else SQLITE)]:
            before = table_versions().of([WORD])
            self.execute(sql)
            assert table_versions().of([WORD]) != before, sql

    def test_many_rows_at_once_are_seen(self):
        with self.changes(WORD), connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {WORD} {COLUMNS} VALUES (%s, %s)", [("a", 1), ("b", 1)])

    def test_what_is_not_understood_changes_everything(self):
        with self.changes(*all_tables()):
            self.execute("CREATE TEMPORARY TABLE of_another_program (x integer)")

    def test_a_question_changes_nothing(self):
        with self.changes():
            assert not Category.objects.filter(name="a").exists()
            with transaction.atomic():
                list(Category.objects.select_for_update())

    def test_counting_views_is_seen_but_a_look_is_not(self):
        with self.changes():
            View.objects.create(target_kind="images.image", target_id=1, visitor="v", seen_on="2026-01-01")
        with self.changes("actions_viewcount"):
            flush_rows()

        assert ViewCount.objects.get().views == 1


class SavepointTests(TransactionTestCase):
    def write(self):
        Category.objects.update(name="x")

    @contextmanager
    def seen(self, times):
        """Check how often the change is announced within the block."""
        with patch.object(versions, "changed", wraps=versions.changed) as changed:
            yield
        assert [call.args for call in changed.call_args_list] == [(CATEGORY,)] * times

    @contextmanager
    def rolled_back(self):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            yield
            1 / 0  # noqa: B018

    def test_many_writes_of_one_transaction_are_announced_once(self):
        with self.seen(1), transaction.atomic():
            self.write()
            with transaction.atomic():
                self.write()
            with transaction.atomic():
                self.write()

    def test_announcement_that_fails_spoils_nothing_that_is_committed(self):
        with (
            patch.object(versions, "changed", side_effect=OSError("no memory")),
            self.assertLogs("django.db.backends.base", "ERROR") as log,
        ):
            Category.objects.create(name="x", slug="x")
            for _ in range(2):
                self.write()
                with transaction.atomic():
                    self.write()

        assert Category.objects.count() == 1
        assert len(log.output) == 5

    def test_each_transaction_is_announced(self):
        with self.seen(3):
            self.write()
            for _ in range(2):
                with transaction.atomic():
                    self.write()

    def test_what_is_rolled_back_is_not_announced(self):
        with self.seen(0), self.rolled_back():
            self.write()

    def test_a_transaction_after_one_that_was_rolled_back_is_announced(self):
        with self.seen(1):
            with self.rolled_back():
                self.write()
            with transaction.atomic():
                self.write()

    def test_a_write_after_a_savepoint_that_was_rolled_back_is_announced(self):
        with self.seen(1), transaction.atomic():
            with self.rolled_back():
                self.write()
            self.write()

    def test_a_write_in_the_next_savepoint_is_announced_too(self):
        with self.seen(1), transaction.atomic():
            with self.rolled_back():
                self.write()
            with transaction.atomic():
                self.write()

    def test_a_savepoint_that_was_rolled_back_takes_no_earlier_write_with_it(self):
        with self.seen(1), transaction.atomic():
            self.write()
            with self.rolled_back():
                self.write()

    def test_a_released_savepoint_goes_with_the_one_around_it(self):
        with self.seen(1), transaction.atomic():
            with self.rolled_back():
                with transaction.atomic():
                    self.write()
                self.write()  # noted by the inner one, which is no more
            self.write()

    def test_a_released_savepoint_whose_surroundings_are_rolled_back_is_not_announced(self):
        with self.seen(0), transaction.atomic(), self.rolled_back(), transaction.atomic():
            self.write()

    @skipIf(connection.vendor == "sqlite", "SQLite lets one connection write at a time")
    def test_another_connections_open_transaction_hides_no_write(self):
        meanwhile = threading.Event()
        written = threading.Event()

        def other():
            with closing(connection), transaction.atomic():
                Category.objects.create(name="y", slug="y")
                written.set()
                meanwhile.wait(30)
                transaction.set_rollback(True)

        thread = threading.Thread(target=other)
        thread.start()
        written.wait(30)
        with self.seen(1):
            self.write()
        meanwhile.set()
        thread.join()


class RecordingTests(TestCase):
    def test_what_is_read_within_the_block_is_known_at_its_end(self):
        with recorded() as outer:
            list(Category.objects.all())
            with recorded() as inner:
                list(Category.objects.filter(products__name="x"))

        assert inner == {"shop_category", "shop_product"}
        assert outer == inner

    def test_what_another_thread_reads_is_not(self):
        with recorded() as tables:
            thread = threading.Thread(target=lambda: versions.note_reading(["shop_product"]))
            thread.start()
            thread.join()

        assert tables == set()

    def test_what_comes_from_elsewhere_is_named(self):
        with recorded() as tables:
            versions.reads(Category)

        assert tables == {CATEGORY}


class OtherHostsTests(TestCase):
    def test_what_another_host_announces_is_old_here_and_ones_own_is_not_told_twice(self):
        for sender, is_old in [("another", True), (versions.SENDER, False)]:
            before = table_versions().of([CATEGORY])
            versions._take_in(f"{sender} {CATEGORY}")
            assert (table_versions().of([CATEGORY]) != before) == is_old, sender

    def test_a_change_is_announced_where_there_are_other_hosts(self):
        for url, told in [
            ("", []),
            ("redis://127.0.0.1:1/3", [("atelier:changed:3", f"{versions.SENDER} {CATEGORY}")]),
        ]:
            redis = Mock()
            asked = patch.object(versions.redisstore, "ask", side_effect=lambda question, redis=redis: question(redis))
            with self.settings(REDIS_URL=url), asked:
                versions.changed(CATEGORY)
            assert [call.args for call in redis.publish.call_args_list] == told


class LayoutTests(TestCase):
    def test_another_release_with_other_tables_finds_the_same_stamp(self):
        """Old and new processes run side by side during an upgrade, each with tables the other does not know."""
        code = (
            "import sys; from pathlib import Path; from core.caching.versions import TableVersions\n"
            "TableVersions(Path(sys.argv[1])).change('shop_category')"
        )
        with TemporaryDirectory() as folder:
            mine = TableVersions(Path(folder))
            before = mine.all()
            subprocess.run([sys.executable, "-c", code, folder], check=True)

            assert mine.of([CATEGORY]) != mine.of([CATEGORY], before)
            assert mine.of(all_tables() - {CATEGORY}) == mine.of(all_tables() - {CATEGORY}, before)
            assert Path(folder, TableVersions.FILE).stat().st_size == TableVersions.SLOTS * 8

    def test_the_place_of_a_stamp_is_part_of_the_layout(self):
        """If this fails, the layout is another one: give its file the next name, and write the new numbers here."""
        assert TableVersions.FILE == "freshness-2"
        assert [versions.slot_of(name) for name in ("blog_post", "shop_product", EVERYTHING)] == [29, 1159, 1627]

    def test_no_two_tables_share_a_stamp(self):
        """Sharing is harmless but for speed: a page would be made again for each session or mail that is written."""
        assert len({versions.slot_of(name) for name in {*all_tables(), EVERYTHING}}) == len(all_tables()) + 1

    def test_everything_makes_each_table_old(self):
        before = table_versions().all()

        table_versions().change(EVERYTHING)

        assert table_versions().of([CATEGORY]) != table_versions().of([CATEGORY], before)
        assert table_versions().of([]) != table_versions().of([], before)
