from io import StringIO

from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState
from django.test import TransactionTestCase

from search.engines import search
from search.operations import MakeSearchable
from search.tests.factories import make_document


class MakeSearchableTests(TransactionTestCase):
    def test_documents_are_still_found_after_going_back_and_forth(self):
        make_document("Red vase")
        migration = Migration("searchable", "search")
        migration.operations = [MakeSearchable()]

        for run in (migration.unapply, migration.apply):
            with connection.schema_editor() as editor:
                run(ProjectState(), editor)
        make_document("Blue vase")

        assert search("vase").total == 2

    def test_what_it_does_can_be_read_as_sql(self):
        out = StringIO()
        call_command("sqlmigrate", "search", "0002", stdout=out)

        assert "CREATE TRIGGER" in out.getvalue() or "CREATE TEXT SEARCH" in out.getvalue()
        assert "CANNOT BE WRITTEN AS SQL" not in out.getvalue()
