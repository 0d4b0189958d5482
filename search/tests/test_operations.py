from django.db import connection
from django.test import TransactionTestCase

from search.engines import search
from search.operations import MakeSearchable
from search.tests.factories import make_document


class MakeSearchableTests(TransactionTestCase):
    def run_operation(self, direction):
        with connection.schema_editor() as editor:
            getattr(MakeSearchable(), f"database_{direction}")("search", editor, None, None)

    def test_documents_are_still_found_after_going_back_and_forth(self):
        make_document("Red vase")

        self.run_operation("backwards")
        self.run_operation("forwards")
        make_document("Blue vase")

        assert search("vase").total == 2
