"""What the shop's list shows: the categories with their numbers, and the products in each order."""

from functools import lru_cache, partial
from typing import NamedTuple

from core.caching.memory import cached
from core.caching.paging import Listing

from .models import Card, Category, Product, ProductQuerySet

SORTS = {
    "newest": ["-id"],
    "price": ["price", "id"],
    "-price": ["-price", "-id"],
    "name": ["name", "id"],
}


class Shelf(NamedTuple):
    """What the list shows of a category."""

    pk: int
    name: str
    slug: str
    description: str
    product_count: int
    url: str


def categories(*, in_stock: bool) -> tuple[Shelf, ...]:
    """Return all categories with their numbers, asked for again when one has changed."""
    return cached(("categories", in_stock), partial(_categories, in_stock=in_stock))


def _categories(*, in_stock: bool) -> tuple[Shelf, ...]:
    rows = Category.objects.with_counts(in_stock=in_stock)
    return tuple(
        Shelf(each.pk, each.name, each.slug, each.description, each.product_count, each.get_absolute_url())
        for each in rows
    )


@lru_cache(maxsize=1024)  # to put a query set together takes longer than to find it again
def products(sort: str, *, in_stock: bool, category: int | None = None) -> Listing:
    rows = Product.objects.on_show()
    rows = rows.in_stock() if in_stock else rows
    rows = rows.filter(category=category) if category else rows

    def shown(near: ProductQuerySet) -> list[Card]:
        return near.order_by(*SORTS[sort]).cards()

    return Listing(("products", sort, in_stock, category), rows, SORTS[sort], shown)
