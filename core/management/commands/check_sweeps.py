from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import Error

from core.jobs import sweeps


class Command(BaseCommand):
    help = "Fail when a sweep has been due for ten minutes and nobody has run it."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        try:
            late = sweeps.late()
        except Error as error:
            raise CommandError(f"The database does not answer: {error}") from error
        if late:
            raise CommandError(f"Nobody runs: {', '.join(late)}. Are beat and a worker up, or tick in cron?")
        self.stdout.write("Every sweep runs when it is due.")
