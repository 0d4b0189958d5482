from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from orders import audit
from orders.models import Invoice, Order


class Command(BaseCommand):
    help = "Prove that invoice numbers, totals and payments agree; ends with an error if they do not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--files", action="store_true", help="also compare every PDF with its checksum")

    def handle(self, *, files: bool, **options: Any) -> None:
        found = 0
        for problem in audit.problems():
            self.stdout.write(problem)
            found += 1
        for problem in audit.files() if files else ():
            self.stdout.write(problem)
            found += 1
        if found:
            raise CommandError(f"The books are wrong in {found} places.")
        self.stdout.write(
            f"{Order.objects.count()} orders and {Invoice.objects.count()} invoices: the books are right."
        )
