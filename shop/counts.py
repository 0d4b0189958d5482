"""Whether the number that each category keeps of its products on show is what they come to, and putting it right."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Count

from .models import Category, Product


def recount(*, write: bool) -> Iterator[str]:
    """Count the products of all categories anew; yield what was wrong. Nobody else changes a number meanwhile."""
    with transaction.atomic():
        kept = Category.objects.select_for_update().order_by("pk")
        list(kept.values_list("pk"))
        shown = Product.objects.on_show().order_by().values_list("category")
        numbers = dict(shown.annotate(number=Count("pk")))
        for category in kept:
            number = numbers.get(category.pk, 0)
            if category.shown_count != number:
                yield f"{category}: {category.shown_count} should be {number}"
                if write:
                    Category.objects.filter(pk=category.pk).update(shown_count=number)
