"""Versions: every committed write of every process sets them, what is rolled back does not, and nothing else depends on it."""

import os
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
from core.caching import memory
from core.caching import versions as module
from core.caching.columns import all_tables
from core.caching.statements import EVERYTHING, Reading, whole
from core.caching.versions import Recording, Versions, recorded, shown_rows, slot_of, slots_of, versions
from core.tests.races import all_at_once
from core.tests.waiting import wait_until
from images.models import Image
from images.tests.factories import make_image
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
        before = versions().now()
        yield
        changed = {table for table in all_tables() if versions().last_change(slots_of(whole(table))) > before}
        assert changed == set(tables)

    def execute(self, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)

    def test_raw_sql_in_every_spelling_is_seen(self):
        for sql in [*ANYWHERE, *(POSTGRESQL if connection.vendor == "postgresql" else SQLITE)]:
            before = versions().now()
            self.execute(sql)
            assert versions().last_change(slots_of(whole(WORD))) > before, sql

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
        with patch.object(module, "changed", wraps=module.changed) as changed:
            yield
        names = {f"{CATEGORY}.*", f"{CATEGORY}.name", f"{CATEGORY}.id=?"}
        assert [set(call.args[0]) for call in changed.call_args_list] == [names] * times

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
            patch.object(module, "changed", side_effect=OSError("no memory")),
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


class TogetherTests(TransactionTestCase):
    def test_all_that_a_transaction_writes_is_told_together(self):
        with patch.object(module, "changed") as changed, transaction.atomic():
            Category.objects.update(name="x")
            Image.objects.filter(pk=5).update(total_likes=1)

        (told,) = [call.args[0] for call in changed.call_args_list]
        assert told >= {"shop_category.name", "images_image.total_likes", "images_image.id=5"}

    def test_an_import_of_thousands_of_rows_changes_everything(self):
        with patch.object(module, "changed") as changed, transaction.atomic():
            for number in range(module.MOST_NAMES):
                Image.objects.filter(pk=number).update(total_likes=1)

        changed.assert_called_once_with({EVERYTHING})


class RecordingTests(TestCase):
    def test_what_is_read_within_the_block_is_known_at_its_end(self):
        with recorded() as recording:
            list(Category.objects.filter(products__name="x"))

        assert recording.tables.keys() == {"shop_category", "shop_product"}

    def test_what_an_inner_block_reads_is_read_by_that_alone_until_it_is_passed_on(self):
        with recorded() as outer:
            with recorded() as inner:
                list(Category.objects.all())
            assert outer.tables == {}
            module.note_recording(inner)

        assert outer.tables == inner.tables
        assert outer.tables

    def test_what_is_read_in_two_ways_is_read_in_both(self):
        with recorded() as recording:
            list(Category.objects.values_list("name"))
            list(Category.objects.values_list("slug"))

        assert recording.tables[CATEGORY].all >= {f"{CATEGORY}.name", f"{CATEGORY}.slug"}

    def test_what_another_thread_reads_is_not(self):
        with recorded() as recording:
            thread = threading.Thread(target=lambda: module.reads(Category))
            thread.start()
            thread.join()

        assert recording.tables == {}

    def test_what_comes_from_elsewhere_is_named(self):
        with recorded() as recording:
            module.reads(Category)

        assert recording.tables == {CATEGORY: Reading(*[frozenset({CATEGORY, f"{CATEGORY}.*"})] * 2)}


class ShownRowsTests(TransactionTestCase):
    """What is made of some rows depends on these rows, and on what decides that they are the ones."""

    def is_old_after(self, write):
        ready = Image.objects.filter(status="ready").order_by("-pk")
        with recorded() as recording:
            shown_rows("images_image", lambda: list(ready[:1]), lambda found: [image.pk for image in found])
        before = versions().now()
        write()
        return versions().last_change(slots_of(recording.names)) > before

    def test_a_row_that_is_shown_makes_it_old_and_another_does_not(self):
        other, shown = make_image(), make_image()

        assert self.is_old_after(lambda: Image.objects.filter(pk=shown.pk).update(total_likes=5))
        assert not self.is_old_after(lambda: Image.objects.filter(pk=other.pk).update(total_likes=5))

    def test_what_decides_makes_it_old_whatever_the_row(self):
        other = make_image()
        make_image()

        assert self.is_old_after(lambda: Image.objects.filter(pk=other.pk).update(status="failed"))
        assert self.is_old_after(make_image)
        assert self.is_old_after(lambda: Image.objects.filter(pk=other.pk).delete())

    def test_a_write_that_does_not_say_which_rows_makes_it_old(self):
        make_image()

        assert self.is_old_after(lambda: Image.objects.update(total_likes=5))


class OtherHostsTests(TestCase):
    def test_what_another_host_announces_is_old_here_and_ones_own_is_not_told_twice(self):
        for sender, is_old in [("another", True), (module.SENDER, False)]:
            before = versions().now()
            module._take_in(f'{sender} ["{CATEGORY}"]')
            assert (versions().last_change(slots_of([CATEGORY])) > before) == is_old, sender

    def test_an_announcement_in_other_words_may_mean_anything(self):
        for words in ("shop_category", "", "5", '{"a": '):
            before = versions().now()
            module._take_in(f"another {words}")
            assert versions().last_change(slots_of([])) > before, words

    def test_whoever_begins_to_hear_trusts_nothing_from_before(self):
        before = versions().now()

        module._missed()

        assert versions().last_change(slots_of([])) > before

    def test_a_change_is_announced_where_there_are_other_hosts(self):
        for url, told in [
            ("", []),
            ("redis://127.0.0.1:1/3", [("atelier:changed:3", f'{module.SENDER} ["{CATEGORY}"]')]),
        ]:
            redis = Mock()
            asked = patch.object(module.redisstore, "ask", side_effect=lambda question, redis=redis: question(redis))
            with self.settings(REDIS_URL=url), asked:
                module.changed({CATEGORY})
            assert [call.args for call in redis.publish.call_args_list] == told

    def test_what_could_not_be_announced_is_announced_as_everything_later(self):
        answers = [None, None, 1]
        told = []

        def ask(question):
            question(Mock(publish=lambda channel, message: told.append(message.partition(" ")[2])))
            return answers.pop(0)

        with (
            self.settings(REDIS_URL="redis://127.0.0.1:1/3"),
            patch.object(module.redisstore, "ask", side_effect=ask),
            patch.object(module, "SECONDS_TO_TELL_AGAIN", 0.01),
        ):
            module.changed({CATEGORY})
            wait_until(lambda: not answers)

        assert told == [f'["{CATEGORY}"]', '["*"]', '["*"]']


class LayoutTests(TestCase):
    def test_another_release_with_other_tables_finds_the_same_place(self):
        """Old and new processes run side by side during an upgrade, each with tables the other does not know."""
        code = (
            "import sys; from pathlib import Path; from core.caching.versions import Versions\n"
            "Versions(Path(sys.argv[1])).change(['shop_category'])"
        )
        with TemporaryDirectory() as folder:
            mine = Versions(Path(folder))
            before = mine.now()
            subprocess.run([sys.executable, "-c", code, folder], check=True)

            assert mine.last_change(slots_of([CATEGORY])) > before
            assert mine.last_change(slots_of(all_tables() - {CATEGORY})) <= before
            assert Path(folder, Versions.FILE).stat().st_size == Versions.SLOTS * 8

    def test_the_place_of_a_name_is_part_of_the_layout(self):
        """If this fails, the layout is another one: give its file the next name, and write the new numbers here."""
        assert Versions.FILE == "versions-3"
        assert [slot_of(name) for name in ("blog_post", "shop_product.id=5", EVERYTHING)] == [715715, 2246, 599799]

    def test_the_first_place_counts_and_belongs_to_no_name(self):
        assert 0 not in {slot_of(str(number)) for number in range(100_000)}

    def test_it_has_its_size_where_room_cannot_be_taken(self):
        with TemporaryDirectory() as folder, patch.object(os, "posix_fallocate"):
            del os.posix_fallocate
            assert Versions(Path(folder)).now() == 0

    def test_what_was_right_in_the_midst_of_a_change_is_looked_at_again_after_it(self):
        its_life, right = memory.life(Recording(), versions().now()), []
        its_life.slots = slots_of([CATEGORY])

        def names():
            right.append(its_life.goes_on)
            yield CATEGORY

        versions().change(names())

        assert right[0]
        assert not its_life.goes_on

    def test_its_room_is_taken_before_the_disk_is_full(self):
        """Where the file has a hole and the disk no room, the kernel ends whoever writes (SIGBUS)."""
        with TemporaryDirectory() as folder:
            Versions(Path(folder))
            assert (Path(folder) / Versions.FILE).stat().st_blocks * 512 >= Versions.SLOTS * 8

    def test_many_that_change_at_once_get_a_number_each(self):
        with TemporaryDirectory() as folder:
            ours = Versions(Path(folder))
            all_at_once(lambda number: [ours.change([CATEGORY]) for _ in range(500)], range(4))

            assert ours.now() == ours.last_change(slots_of([CATEGORY])) == 2000

    def test_everything_makes_each_table_old(self):
        before = versions().now()

        versions().change([EVERYTHING])

        assert versions().last_change(slots_of([CATEGORY])) > before
        assert versions().last_change(slots_of([])) > before
