from typing import Any

from django.core.management.base import BaseCommand

from shop import recommender


class Command(BaseCommand):
    help = "Count “bought together” anew from all paid orders, in the database and in Redis."

    def handle(self, *args: Any, **options: Any) -> None:
        baskets = recommender.rebuild()
        self.stdout.write(f"{baskets} orders counted.")
