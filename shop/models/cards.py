"""What a list shows of a product: a row of values, which costs a third of what an object of the model does."""

from decimal import Decimal
from functools import cache, partial
from itertools import starmap
from typing import Any, NamedTuple

from django.utils.translation import gettext, ngettext

from core import sql
from core.caching.versions import keys_of, shown_rows
from core.web.links import path_to

SCARCE = 5  # so few pieces left that a buyer should know; what staff see listed is orders.sales.NEARLY_GONE


def few_words(stock: int) -> str:
    """Say that little is left, or nothing."""
    if stock == 0:
        return gettext("Sold out")
    return ngettext("Only %(count)s left", "Only %(count)s left", stock) % {"count": stock}


class Told:
    """What is said of a product in the same words on its page and on its card."""

    __slots__ = ()

    pk: Any
    slug: Any
    stock: Any
    is_digital: Any

    def get_absolute_url(self) -> str:
        return path_to("shop:product_detail", self.pk, self.slug)

    @property
    def is_sold_out(self) -> bool:
        return bool(self.stock == 0)

    @property
    def is_scarce(self) -> bool:
        return self.stock is not None and self.stock <= SCARCE

    @property
    def stock_words(self) -> str:
        if self.is_scarce:
            return few_words(self.stock)
        return gettext("Ready at once") if self.is_digital else gettext("In stock")


class Cover(NamedTuple):
    file: str
    alt: str
    width: int | None
    height: int | None


class Row(NamedTuple):
    pk: int
    name: str
    slug: str
    price: Decimal
    stock: int | None
    is_digital: bool
    cover: Cover | None


class Card(Told, Row):
    """A row with the words for it; equal to another that looks the same."""

    __slots__ = ()


def columns(of: str = "") -> tuple[str, ...]:
    """Return what `card` takes; `of` leads to the product, as in "other__"."""
    own = ("pk", "name", "slug", "price", "stock", "is_digital")
    cover = ("file", "alt", "width", "height")
    return (*(f"{of}{name}" for name in own), *(f"{of}cover__{name}" for name in cover))


def card(pk: int, name: str, slug: str, price: Decimal, stock: int | None, is_digital: bool, *cover: Any) -> Card:  # noqa: FBT001
    """Return the card of a row of `columns`."""
    return Card(pk, name, slug, price, stock, is_digital, Cover(*cover) if cover[0] else None)


ON_A_CARD = "product.id, name, slug, price, stock, is_digital, file, alt, width, height"
SOME = f"""
SELECT {ON_A_CARD} FROM shop_product AS product LEFT JOIN shop_productpicture AS cover ON cover.id = cover_id
WHERE product.id IN ({{ids}}) ORDER BY {{order}}
"""


def some(ids: str, order: str, **values: Any) -> list[Card]:
    """Return the cards of the products whose ids the statement finds (core/sql.py)."""
    ask = partial(sql.rows, "shop", _statement(ids, order), **values)
    return shown_rows("shop_product", lambda: list(starmap(_of_row, ask())), keys_of)


@cache
def _statement(ids: str, order: str) -> str:
    return SOME.format(ids=ids, order=order)


def _of_row(pk: int, name: str, slug: str, price: Any, stock: int | None, is_digital: Any, *cover: Any) -> Card:
    # SQLite gives a float and a number, where it is not told of decimals and truth.
    return card(pk, name, slug, Decimal(str(price)), stock, bool(is_digital), *cover)
