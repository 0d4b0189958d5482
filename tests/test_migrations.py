from django.core.management import call_command
from django.test import TestCase


class MigrationTests(TestCase):
    def test_models_and_migrations_say_the_same(self):  # D4
        call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)
