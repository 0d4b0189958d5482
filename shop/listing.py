"""What the shop's list shows: the categories with their numbers, and the products in each order."""

from functools import partial
from typing import NamedTuple

from core.caching.memory import cached
from core.caching.paging import StatementListing

from .models import Category, Product, ProductQuerySet, cards

SORTS = {
    "newest": ["-id", "-pk"],
    "price": ["price", "id"],
    "-price": ["-price", "-id"],
    "name": ["name", "id"],
}
COLUMNS = {"newest": "id", "price": "price", "-price": "price", "name": "name"}
ON_SHOW = "SELECT id FROM shop_product WHERE available"
IN_STOCK = " AND is_in_stock"
OF_A_CATEGORY = " AND category_id = %(category)s"


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


def products(sort: str, *, in_stock: bool, category: int | None = None) -> StatementListing:
    """Return the list; a test holds its statement to the query set that counts it."""
    direction, column = ("DESC" if SORTS[sort][0].startswith("-") else "ASC"), COLUMNS[sort]
    order = f"product.{column} {direction}, product.id {direction}"
    ids = f"{ON_SHOW}{IN_STOCK if in_stock else ''}{OF_A_CATEGORY if category else ''}"
    key, by, values = ("products", sort, in_stock, category), (column, "id"), {"category": category} if category else {}
    rows = partial(_rows, in_stock=in_stock, category=category)
    return StatementListing(key, rows, SORTS[sort], ids, by, partial(cards.some, order=order), values)


def _rows(*, in_stock: bool, category: int | None) -> ProductQuerySet:
    rows = Product.objects.on_show()
    rows = rows.in_stock() if in_stock else rows
    return rows.filter(category=category) if category else rows
