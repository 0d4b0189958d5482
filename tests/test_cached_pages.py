"""Every page that is kept for visitors knows all that it was made from, whoever has asked before and in what state."""

import sqlite3

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache as django_cache
from django.db import connection
from django.test import TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern

from core.caching import memory
from core.caching.columns import all_tables, foreign_keys, primary_key
from core.caching.statements import effect_of, nobodys
from core.caching.tests.test_pages import Site, the_tests_own_connection  # noqa: F401 - used by every test here
from core.caching.versions import slot_of
from shop.models import Category, ProductPicture
from tests.addresses import OneOfEach, addresses

FEWEST = 15  # kept views; if none were found, nothing would be tested


def all_slots(life):
    return set(life.slots).union(*(all_slots(words.life) for words in life.answers.values()))


class KeptPagesTests(OneOfEach, TransactionTestCase):  # nothing is kept inside a transaction
    def setUp(self):
        type(self).fill()
        patterns: dict[str, URLPattern] = {
            name: pattern for name, pattern in addresses().items() if getattr(pattern.callback, "is_cached", False)
        }
        assert len(patterns) >= FEWEST
        self.pages = {name: self.real(name, pattern) for name, pattern in patterns.items()}

    def forget(self):
        """Do as if the process had just begun."""
        memory.clear()
        django_cache.clear()
        ContentType.objects.clear_cache()

    def made_from(self, address):
        """Return where the versions lie that make the page old, asked of a door that has kept nothing yet."""
        site = Site()
        assert site.get(address)["status"] == 200, address
        (page,) = site.kept().values()
        return all_slots(page.life)

    def test_every_one_is_kept_and_counts_as_read_what_it_found_in_memory(self):
        for name, address in self.pages.items():
            self.forget()
            cold = self.made_from(address)
            assert cold, name
            assert [self.made_from(address) for _ in range(2)] == [cold, cold], name

    def test_what_other_pages_left_in_memory_changes_nothing(self):
        alone = {}
        for name, address in self.pages.items():
            self.forget()
            alone[name] = self.made_from(address)

        assert {name: self.made_from(address) for name, address in self.pages.items()} == alone

    def test_each_answer_that_it_was_made_from_can_be_asked_again(self):
        for name, address in self.pages.items():
            self.forget()
            site = Site()
            site.get(address)
            (page,) = site.kept().values()
            for key, words in page.life.answers.items():
                assert sorted(memory._answers[key]._asked_anew().words.life.slots) == sorted(words.life.slots), (
                    name,
                    key,
                )

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite tells which tables a statement reads")
    def test_each_column_that_the_database_reads_for_it_makes_it_old(self):
        asked: set[tuple[str, str]] = set()

        def note(action, table, column, *_):
            if action == sqlite3.SQLITE_READ and table in all_tables() and column != primary_key(table):
                asked.add((table, column))
            return sqlite3.SQLITE_OK

        def makes_old(slots, table, column):
            """Tell whether it is the column that does so, or any change of the row."""
            by_row = nobodys(table, {primary_key(table), *foreign_keys(table)})
            return not column or slots & set(map(slot_of, {f"{table}.{column}", f"{table}.*", *by_row}))

        for name, address in self.pages.items():
            self.forget()
            asked.clear()
            connection.connection.set_authorizer(note)
            made_from = self.made_from(address)
            connection.connection.set_authorizer(None)
            assert asked, name
            assert [read for read in asked if not makes_old(made_from, *read)] == [], name

    def test_making_one_writes_nothing_and_is_not_taken_for_writing(self):
        for name, address in self.pages.items():
            self.forget()
            with CaptureQueriesContext(connection) as captured:
                self.made_from(address)
            assert [query["sql"] for query in captured if effect_of(query["sql"]).writes] == [], name

    def test_a_post_is_made_anew_when_a_picture_of_a_product_in_it_changes(self):
        text = f"See [this](/shop/{self.product.pk}/{self.product.slug}/)."
        type(self.post).objects.get(pk=self.post.pk).mentions.all().delete()
        self.post.body = text
        self.post.save()
        picture = ProductPicture.objects.create(product=self.product, file="products/a.jpg", width=9, height=9)
        type(self.product).objects.filter(pk=self.product.pk).update(cover=picture)
        site = Site()
        site.get(self.post.get_absolute_url())

        ProductPicture.objects.update(alt="A notebook, open")

        assert b"A notebook, open" in site.get(self.post.get_absolute_url())["body"]

    def test_a_write_to_a_table_that_a_page_does_not_read_leaves_it_kept(self):
        site = Site()
        site.get(self.post.get_absolute_url())
        Category.objects.create(name="x", slug="x")

        with self.assertNumQueries(0):
            site.get(self.post.get_absolute_url())
