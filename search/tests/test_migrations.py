from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone

from search.engines import search
from search.models import Document
from search.tests.factories import make_document


class BoundedSearchTests(TransactionTestCase):
    def tearDown(self):
        call_command("migrate", "search", verbosity=0)

    def test_what_a_filled_site_holds_is_found_inside_of_words_after_the_upgrade(self):
        make_document("Red vase")
        call_command("migrate", "search", "0004", verbosity=0)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE search_document DROP COLUMN headings")  # what 0002 made was without
        Document.objects.create(
            kind="post", object_id=1_000_000, title="東京都庁の建築", body="Stone", url="/", public_from=timezone.now()
        )

        call_command("migrate", "search", verbosity=0)

        assert [hit.title for hit in search("建築").hits] == ["東京都庁の<mark>建築</mark>"]
        assert search("vase", kind="post").total == 1

    def test_going_back_leaves_the_texts_as_they_were_written(self):
        make_document("東京都庁の建築", "iPhoneの手帳")

        call_command("migrate", "search", "0004", verbosity=0)

        assert Document.objects.values_list("title", "body").get() == ("東京都庁の建築", "iPhoneの手帳")

    def test_everything_can_be_taken_away_and_made_again(self):
        call_command("migrate", "search", "zero", verbosity=0)
        call_command("migrate", "search", verbosity=0)
        make_document("Red vase")

        assert search("vase").total == 1
