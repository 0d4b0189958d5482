"""
The basket: product ids and quantities in the session, everything else read from the catalogue each time.

The price of the moment of adding is kept too, but only to tell the buyer that it changed; nobody is charged it.
"""

import secrets
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, NamedTuple, TypedDict

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from account.models import User
from shop import recommender
from shop.models import Product
from shop.money import money

from . import coupons
from .models import Coupon, SavedCart

SESSION_KEY = "cart"
COUPON_KEY = "coupon"
CHECKOUT_KEY = "checkout_key"
MAX_QUANTITY = 99  # of one product; carts that hold more than a lower one would lose the line
MAX_LINES = 100


class Item(TypedDict):
    quantity: int
    price: str  # as last seen


class CartLine(NamedTuple):
    product: Product
    quantity: int
    problem: str = ""  # what changed since the buyer last looked, in words

    @property
    def unit_price(self) -> Decimal:
        return self.product.price

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity

    @property
    def limit(self) -> int:
        return most_of(self.product)


class Reading(NamedTuple):
    """The session's items held against the catalogue of this moment."""

    lines: list[CartLine]
    changes: list[str]
    suggestions: list[Product]


def most_of(product: Product) -> int:
    """Return how many pieces one cart may hold: what is there, and never more than MAX_QUANTITY."""
    return MAX_QUANTITY if product.stock is None else min(MAX_QUANTITY, product.stock)


class Cart:
    """
    One visitor's basket. Making it and asking `len()` costs no query beyond the session's own, and for a visitor
    without a session cookie not even that; the first look at `lines` reads the catalogue once.
    """

    def __init__(self, request: HttpRequest, *, owner: User | None = None, suggest: int = 0) -> None:
        """
        `owner` is needed only while a login is under way and the request does not know its member yet; `suggest` asks
        for so many products that go with the cart's, read in the same query.
        """
        self._request = request
        self._owner = owner
        self._suggest = suggest
        self._items: dict[int, Item] = {}
        self._code = ""
        self._key = ""
        if settings.SESSION_COOKIE_NAME in request.COOKIES or request.session.accessed:
            self._items = parse(request.session.get(SESSION_KEY))
            self._code = str(request.session.get(COUPON_KEY, ""))
            self._key = str(request.session.get(CHECKOUT_KEY, ""))

    def __len__(self) -> int:
        return sum(item["quantity"] for item in self._items.values())

    def __bool__(self) -> bool:
        return bool(self._items)

    # --- What is in it ---------------------------------------------------------------------------------------------

    @cached_property
    def _reading(self) -> Reading:
        return read(self._items, suggest=self._suggest) if self._items else Reading([], [], [])

    @cached_property
    def _coupon(self) -> tuple[Coupon | None, str]:
        """The coupon as it stands now, or the reason why it fell off."""
        if not self._code or not self.lines:
            return None, ""
        try:
            return self._checked(self._code), ""
        except coupons.CouponRefused as refusal:
            return None, str(refusal)

    def _checked(self, code: str) -> Coupon:
        coupon = coupons.find(code)
        coupons.check_minimum(coupon, self.subtotal)
        if self._member is not None:  # who a visitor is turns out at the order
            coupons.check_uses(coupon, user=self._member)
        return coupon

    @property
    def _member(self) -> User | None:
        person = self._owner or getattr(self._request, "user", None)
        return person if person is not None and person.is_authenticated else None

    @property
    def lines(self) -> list[CartLine]:
        return self._reading.lines

    @property
    def changes(self) -> list[str]:
        """What is no longer as the buyer last saw it, one sentence each; `settle()` once they have been shown."""
        refusal = self._coupon[1]
        return [*self._reading.changes, refusal] if refusal else self._reading.changes

    @property
    def suggestions(self) -> list[Product]:
        return self._reading.suggestions

    @property
    def is_empty(self) -> bool:
        return not self.lines

    @property
    def subtotal(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal(0))

    @property
    def coupon(self) -> Coupon | None:
        return self._coupon[0]

    @property
    def discount(self) -> Decimal:
        return self.coupon.discount(self.subtotal) if self.coupon else Decimal(0)

    @property
    def total(self) -> Decimal:
        """Goods less discount, VAT included; shipping is the order's affair."""
        return self.subtotal - self.discount

    def quantity_of(self, product: Product) -> int:
        item = self._items.get(product.pk)
        return item["quantity"] if item else 0

    @property
    def pieces(self) -> dict[int, int]:
        """How many of which product were put in, whatever can still be had of them."""
        return {product_id: item["quantity"] for product_id, item in self._items.items()}

    @property
    def checkout_key(self) -> str:
        """
        What tells this cart from those before and after it. Every checkout form of one cart carries the same key, so
        that together they make one order. Empty for a cart without items, or kept by a release that knew no keys.
        """
        return self._key

    def has_place_for(self, product: Product) -> bool:
        """Whether the product is in the cart or may become one more line of it."""
        return product.pk in self._items or len(self._items) < MAX_LINES

    # --- What is done to it ----------------------------------------------------------------------------------------

    def add(self, product: Product, quantity: int = 1) -> None:
        """Add pieces; what passes a limit is left out (QuantityForm says so before)."""
        self.set(product, self.quantity_of(product) + quantity)

    def set(self, product: Product, quantity: int) -> None:
        """Hold so many pieces, within the limits; none at all removes the line."""
        quantity = min(quantity, most_of(product))
        if quantity < 1 or not self.has_place_for(product):
            self.remove(product.pk)
            return
        self._items[product.pk] = {"quantity": quantity, "price": str(product.price)}
        self._write()

    def remove(self, product_id: int) -> None:
        """Take a line out; one that is not there (any more) is fine."""
        if self._items.pop(product_id, None):
            self._write()

    def clear(self) -> None:
        """Empty the cart and forget the coupon: after an order, the next cart starts afresh."""
        self._items = {}
        self._code = ""
        self._write()

    def renew_key(self) -> None:
        """Let the next order be another one than the one that this cart's key has made."""
        self._key = ""
        self._write(keep_reading=True)

    def use_coupon(self, code: str) -> None:
        """Put a coupon on the cart; raises coupons.CouponRefused, and then one that was there stays."""
        self._code = self._checked(code).code
        self._write()

    def drop_coupon(self) -> None:
        self._code = ""
        self._write()

    def settle(self) -> None:
        """Accept the catalogue of this moment as seen, so that each change is told once; writes only if there was one."""
        if not self.changes:
            return
        self._items = {line.product.pk: as_item(line) for line in self.lines}
        if not self.coupon:
            self._code = ""
        self._write(keep_reading=True)

    def join(self, items: dict[int, Item]) -> int:
        """Take in the items of another cart, the larger quantity of each; return how many products are new here."""
        new = [product_id for product_id in items if product_id not in self._items][: MAX_LINES - len(self._items)]
        for product_id, item in items.items():
            if product_id in new:
                self._items[product_id] = item
            elif product_id in self._items and item["quantity"] > self._items[product_id]["quantity"]:
                self._items[product_id]["quantity"] = item["quantity"]
        if items:
            self._write()
        return len(new)

    def _write(self, *, keep_reading: bool = False) -> None:
        session = self._request.session
        self._key = (self._key or secrets.token_urlsafe()) if self._items else ""
        store(session, SESSION_KEY, self._stored())
        store(session, COUPON_KEY, self._code)
        store(session, CHECKOUT_KEY, self._key)
        self.save_for_owner()
        if not keep_reading:
            self.__dict__.pop("_reading", None)
            self.__dict__.pop("_coupon", None)

    def save_for_owner(self) -> None:
        """Save the cart for the member's next visit, on whatever device; nothing to do for a visitor."""
        if self._member is not None:
            SavedCart.objects.update_or_create(owner=self._member, defaults={"items": self._stored()})

    def _stored(self) -> dict[str, Item]:
        return {str(product_id): item for product_id, item in self._items.items()}


def store(session: Any, key: str, value: Any) -> None:
    """Write a session value, or remove the key when there is nothing to keep."""
    if value:
        session[key] = value
    elif key in session:
        del session[key]


def parse(stored: Any) -> dict[int, Item]:
    """Read what a session or a saved cart holds; what is not of our shape (an older release's) is left out."""
    items: dict[int, Item] = {}
    for key, value in stored.items() if isinstance(stored, dict) else ():
        try:
            quantity = int(value["quantity"])
            price = str(Decimal(value["price"]))
            if 1 <= quantity <= MAX_QUANTITY:
                items[int(key)] = {"quantity": quantity, "price": price}
        except (KeyError, TypeError, ValueError, InvalidOperation):
            continue
    return items


def as_item(line: CartLine) -> Item:
    return {"quantity": line.quantity, "price": str(line.unit_price)}


def read(items: dict[int, Item], *, suggest: int) -> Reading:
    """Hold the items against the catalogue, and find what goes with them, in one query."""
    rows = Product.objects.select_related("cover").order_by()
    found = rows.filter(pk__in=items)
    if suggest:
        # A union and no OR: with OR the database would read the whole table of products.
        found = found.union(rows.filter(Q(pk__in=recommender.companions(list(items), suggest))), all=True)
    products = {product.pk: product for product in found}
    others = [product for pk, product in products.items() if pk not in items]
    lines, changes = compare(items, products)
    return Reading(lines, changes, [each for each in others if each.is_on_show and not each.is_sold_out][:suggest])


def compare(items: dict[int, Item], products: dict[int, Product]) -> tuple[list[CartLine], list[str]]:
    """Make the lines that can be bought, and say what is different from what the buyer last saw."""
    lines, changes, gone = [], [], 0
    for product_id, item in items.items():
        product = products.get(product_id)
        if product is None:
            gone += 1
        elif not product.is_on_show:
            changes.append(_("%(name)s is no longer for sale and was taken out.") % {"name": product.name})
        elif product.is_sold_out:
            changes.append(_("%(name)s has sold out and was taken out.") % {"name": product.name})
        else:
            problem = describe_change(product, item)
            lines.append(CartLine(product, min(item["quantity"], most_of(product)), problem))
            changes += [problem] if problem else []
    if gone:
        changes.append(
            ngettext(
                "A product in your cart no longer exists and was taken out.",
                "%(count)s products in your cart no longer exist and were taken out.",
                gone,
            )
            % {"count": gone}
        )
    return lines, changes


def describe_change(product: Product, item: Item) -> str:
    """Say in words what is different from what the buyer last saw; empty when nothing is."""
    seen = Decimal(item["price"])
    said = []
    if product.price != seen:
        template = (
            _("%(name)s now costs %(price)s, more than when you added it (%(seen)s).")
            if product.price > seen
            else _("%(name)s now costs %(price)s, less than when you added it (%(seen)s).")
        )
        said.append(template % {"name": product.name, "price": money(product.price), "seen": money(seen)})
    if item["quantity"] > most_of(product):
        said.append(
            _("Only %(stock)s of %(name)s are left, so the quantity was lowered.")
            % {"stock": most_of(product), "name": product.name}
        )
    return " ".join(said)
