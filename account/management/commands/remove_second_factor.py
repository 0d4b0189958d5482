from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from account import second_factor
from account.models import User


class Command(BaseCommand):
    help = (
        "Removes the second factor of somebody who has lost it, with its recovery codes. A password alone logs in then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="username or e-mail address")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.named(options["name"]).first()
        if person is None:
            raise CommandError(f"There is nobody called {options['name']!r}.")
        if not person.has_second_factor:
            raise CommandError(f"{person.username} has no second factor.")
        second_factor.remove(person)
        self.stdout.write(f"{person.username} logs in with the password alone now, and is asked to set up a new one.")
