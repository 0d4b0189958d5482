"""What the shop's list shows: the categories with their numbers, and the products in each order."""

from core.caching.memory import cached
from core.caching.paging import Listing

from .models import Category, Product, ProductQuerySet

SORTS = {
    "newest": ["-id"],
    "price": ["price", "id"],
    "-price": ["-price", "-id"],
    "name": ["name", "id"],
}


def categories(*, in_stock: bool) -> list[Category]:
    """Return all categories with their numbers, counted again when a product or category has changed."""
    return cached(("categories", in_stock), lambda: list(Category.objects.with_counts(in_stock=in_stock)))


def products(sort: str, *, in_stock: bool, category: int | None = None) -> Listing:
    rows = Product.objects.on_show()
    rows = rows.in_stock() if in_stock else rows
    rows = rows.filter(category=category) if category else rows

    def shown(near: ProductQuerySet) -> ProductQuerySet:
        return near.cards().order_by(*SORTS[sort])

    return Listing(("products", sort, in_stock, category), rows, SORTS[sort], shown)
