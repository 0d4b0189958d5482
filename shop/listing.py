"""What the shop's list shows: the categories with their numbers, and each way to list products with its SQL."""

from datetime import datetime
from functools import cache

from core.caching.keptsql import KeptSql, Rows
from core.caching.memory import cached
from core.caching.paging import Listing

from .models import Category, Product, ProductQuerySet

SORTS = {
    "newest": ["-id"],
    "price": ["price", "id"],
    "-price": ["-price", "-id"],
    "name": ["name", "id"],
}
CATEGORY = -1  # a mark


def categories(*, in_stock: bool) -> Rows:
    """Return all categories with their numbers, counted again when a product or category has changed."""
    return cached(("categories", in_stock), _counting(in_stock=in_stock).rows)


@cache
def _counting(*, in_stock: bool) -> KeptSql:
    return KeptSql(lambda: Category.objects.with_counts(in_stock=in_stock))


@cache
def products(sort: str, *, in_stock: bool, of_category: bool) -> Listing:
    def select(now: datetime, *category: int) -> ProductQuerySet:
        rows = Product.objects.available()
        rows = rows.in_stock() if in_stock else rows
        rows = rows.filter(category=category[0]) if of_category else rows
        return rows.order_by(*SORTS[sort])

    def shown(rows: ProductQuerySet) -> ProductQuerySet:
        return rows.cards().order_by(*SORTS[sort])

    return Listing(select, shown, *([CATEGORY] if of_category else []))
