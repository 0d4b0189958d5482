"""What only PostgreSQL does: the functions of migrations/0005_bounded_search.py, against the plainest way to ask."""

import pytest
from django.db import connection
from django.test import TestCase
from django.utils import timezone

from search.engines import search
from search.models import Document
from search.tests.factories import make_document

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="the functions are PostgreSQL's")

DOCUMENTS = 20_000
WORDS = {"everywhere": 0.9, "often": 0.24, "sometimes": 0.1, "seldom": 3 / DOCUMENTS, "never": 0}


def fill() -> None:
    """Write documents in no order of their dates, every hundredth a product, some with dates to come."""
    share = " || ".join(
        f"CASE WHEN number * 7919 % {DOCUMENTS} < {int(share * DOCUMENTS)} THEN ' {word}' ELSE '' END"
        for word, share in WORDS.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO search_document (kind, object_id, title, tags, summary, body, url, public_from) "
            f"SELECT CASE WHEN number % 100 = 7 THEN 'product' ELSE 'post' END, number, 'A text' || {share}, '', '', '', '/', "
            "now() + interval '1 hour' - (number * 6151 % 20000) * interval '1 minute' "
            f"FROM generate_series(1, {DOCUMENTS}) number"
        )
        cursor.execute("ANALYZE search_document")


class LatestTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        fill()

    def latest(self, word, kind=None, *, is_common=True, wanted=501):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM unnest(search_latest(phraseto_tsquery('atelier', %s), %s, %s, %s, %s)) "
                "WITH ORDINALITY AS found(place, number) JOIN search_document ON ctid = place ORDER BY number",
                [word, kind, is_common, wanted, timezone.now()],
            )
            return [pk for (pk,) in cursor.fetchall()]

    def plainly(self, word, kind=None, wanted=501):
        found = Document.objects.filter(title__contains=word, public_from__lte=timezone.now())
        if kind:
            found = found.filter(kind=kind)
        return list(found.order_by("-id").values_list("pk", flat=True)[:wanted])

    def test_every_way_to_read_finds_the_same_documents_added_last(self):
        for word in WORDS:
            for kind in (None, "post", "product", "person"):
                for is_common in (True, False):
                    with self.subTest(word=word, kind=kind, is_common=is_common):
                        assert self.latest(word, kind, is_common=is_common) == self.plainly(word, kind)

    def test_what_is_added_next_is_found_wherever_a_block_begins(self):
        for word in ("everywhere", "sometimes"):
            for _ in range(1100):  # more than the smallest block
                Document.objects.last().delete()
            with self.subTest(word=word):
                assert self.latest(word, wanted=5) == self.plainly(word, wanted=5)

    def test_a_common_word_is_sought_in_the_smallest_blocks_only(self):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL track_functions = 'pl'")
            self.latest("everywhere", wanted=5)
            cursor.execute("SELECT funcname, calls FROM pg_stat_xact_user_functions")
            calls = dict(cursor.fetchall())

        assert calls["search_matching"] == calls["search_latest"] > 0

    def test_a_rare_word_among_common_ones_is_not_lost(self):
        assert {hit.object_id for hit in search("everywhere seldom").hits} == set(
            Document.objects.filter(pk__in=self.plainly("seldom")).values_list("object_id", flat=True)
        )


class PartTests(TestCase):
    def test_snippet_is_found_deep_in_a_long_text(self):
        make_document("Book", "Filler words here. " * 600 + "The kilns are hot today. " + "More filler follows. " * 600)

        for text in ("kiln", "kilns", "kil*", "kiln hot", "hot kilns"):
            with self.subTest(text=text):
                assert "<mark>kilns</mark>" in search(text).hits[0].snippet

    def test_word_spelt_with_accents_is_found_in_a_long_text(self):
        make_document("Book", "Filler words here. " * 300 + "The Café is open. " + "More filler follows. " * 300)

        assert "<mark>Café</mark>" in search("cafe").hits[0].snippet

    def test_text_without_spaces_is_shown(self):
        make_document("Book", "字" * 5000 + " kiln " + "字" * 5000)

        assert "<mark>kiln</mark>" in search("kiln").hits[0].snippet
