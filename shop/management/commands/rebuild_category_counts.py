from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shop.counts import recount


class Command(BaseCommand):
    help = "Compare the number that each category keeps with the products on show, and put it right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only report; fails when a number is wrong")

    def handle(self, *, check: bool, **options: Any) -> None:
        wrong = list(recount(write=not check))
        for line in wrong:
            self.stdout.write(line)
        if wrong and check:
            raise CommandError(f"{len(wrong)} numbers are wrong.")
        self.stdout.write(f"{len(wrong)} numbers {'put right' if wrong else 'were wrong'}.")
