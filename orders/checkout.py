"""From cart to order: one transaction in which stock, prices and the confirmation mail agree, or nothing happens."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from account.models import User
from cart import coupons
from cart.cart import Cart
from shop import charges
from shop.models import Product
from shop.money import money, payable

from . import mails, shipping_cost, stock, vat
from .models import Order, OrderLine, VatId
from .totals import MOST, RateTotal, net_of, net_of_shared, per_rate

# How long an order and its stock wait for the money. The pay page lives a little shorter, and Stripe wants that to be
# 30 minutes to 24 hours: when less is left as Pay is pressed, the time begins anew (payment/attempts.py).
UNPAID_FOR = timedelta(minutes=35)


class EmptyCart(Exception):
    """There is nothing to order."""


class CartChanged(Exception):
    """What was shown is no longer what it costs. `messages` say what changed; the page shows them and asks again."""

    def __init__(self, messages: Sequence[str]) -> None:
        self.messages = list(messages)
        super().__init__(*messages)


class CouponGone(CartChanged):
    """The coupon cannot be used (again) by this buyer, which only the order could tell."""


class NotPayable(CartChanged):
    """The total is one that nobody can pay; the message says what can be paid."""


class OrderedBefore(CartChanged):
    """The form belongs to an order that was made of another cart than the one there is now."""

    def __init__(self, order: Order) -> None:
        text = _("Order %(number)s is placed already. What you see now would be a new order: please check it.")
        super().__init__([text % {"number": order}])


class SoldOut(Exception):
    """Somebody else was quicker: too few pieces of `product` are left."""

    def __init__(self, product: Product) -> None:
        self.product = product
        super().__init__(product.name)


class PlacedAlready(Exception):
    """The same form came back with something that changes what it costs. `order` stays as it is."""

    def __init__(self, order: Order) -> None:
        self.order = order
        super().__init__(str(order))


class QuotedLine(NamedTuple):
    """A line of the cart as the order will have it: without VAT where none is charged."""

    product: Product
    quantity: int
    unit_price: Decimal
    vat_rate: Decimal

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity


class Quote(NamedTuple):
    """What a cart costs when it is sent to a country; the page shows it, the order copies it."""

    lines: list[QuotedLine]
    subtotal: Decimal
    discount: Decimal
    shipping: Decimal
    total: Decimal
    rates: list[RateTotal]
    relief: str = ""

    @property
    def vat(self) -> Decimal:
        return sum((row.vat for row in self.rates), Decimal(0))


def quote(cart: Cart, country: str, vat_id: str = "") -> Quote:
    """Add up what the cart costs now; raises shipping_cost.NoShipping."""
    lines = [
        QuotedLine(line.product, line.quantity, payable(line.unit_price), vat.rate_of(line.product))
        for line in cart.lines
    ]
    subtotal = _sum(lines)
    discount = min(payable(cart.discount), subtotal)
    sending = shipping_cost.cost(country, subtotal - discount, [line.product for line in cart.lines])
    relief = vat.relief(country, vat_id)
    if relief:
        lines, discount, sending = _without_vat(lines, discount, sending)
        subtotal = _sum(lines)
    rates = per_rate(
        [(line.vat_rate, line.total) for line in lines],
        discount=discount,
        shipping=sending,
        currency=settings.SHOP_CURRENCY,
    )
    return Quote(lines, subtotal, discount, sending, subtotal - discount + sending, rates, relief)


def refusal(costs: Quote) -> str:
    """Say in words why nobody could pay this, or we not write it down; empty when all is well."""
    if costs.subtotal + costs.shipping > MOST:
        return _("The most that can be paid at once is %(most)s. Please place several orders.") % {"most": money(MOST)}
    return charges.refusal(costs.total, discount=costs.discount)


def _sum(lines: Sequence[QuotedLine]) -> Decimal:
    return sum((line.total for line in lines), Decimal(0))


def _without_vat(
    lines: Sequence[QuotedLine], discount: Decimal, sending: Decimal
) -> tuple[list[QuotedLine], Decimal, Decimal]:
    """Take the VAT out of each unit's price, once, and out of what goes with the goods."""
    currency = settings.SHOP_CURRENCY
    gross = [(line.vat_rate, line.total) for line in lines]
    net = [
        line._replace(unit_price=payable(net_of(line.unit_price, line.vat_rate, currency)), vat_rate=Decimal(0))
        for line in lines
    ]
    less = min(payable(net_of_shared(discount, gross, currency)), _sum(net))
    return net, less, payable(net_of_shared(sending, gross, currency))


def place_order(
    cart: Cart,
    *,
    contact: Mapping[str, Any],
    buyer: User | None,
    checkout_key: str,
    expected_total: Decimal | None = None,
) -> Order:
    """
    Turn the cart into an order that waits for its payment, or return the order this checkout already made.

    `contact` holds the order's name and address fields, `checkout_key` is the form's. `expected_total` is the amount
    the buyer saw on the button; no order is ever returned that costs another one.
    Raises EmptyCart, CartChanged (also NotPayable), SoldOut, PlacedAlready or shipping_cost.NoShipping; then nothing was written.
    """
    _refuse_form_of_another_cart(cart, checkout_key)
    key = cart.checkout_key or checkout_key
    try:
        return _place(cart, contact=contact, buyer=buyer, checkout_key=key, expected_total=expected_total)
    except (EmptyCart, CartChanged, SoldOut, shipping_cost.NoShipping, IntegrityError):
        # After the first of two clicks the cart is empty, or what it held is sold out: to the very order of that click.
        # An IntegrityError says that both were under way at once. And a buyer comes back to correct something.
        placed = Order.objects.filter(checkout_key=key).first()
        if placed is None:
            raise
        return _found(placed, cart, contact, expected_total)


def _refuse_form_of_another_cart(cart: Cart, form_key: str) -> None:
    """Refuse a form that was left over from a cart that is ordered, when another one has been filled since."""
    if cart.checkout_key and cart.checkout_key != form_key:
        earlier = Order.objects.filter(checkout_key=form_key).first()
        if earlier is not None:
            raise OrderedBefore(earlier)


def _place(cart: Cart, *, contact: Mapping[str, Any], expected_total: Decimal | None, **values: Any) -> Order:
    if cart.is_empty:
        raise EmptyCart
    costs = quote(cart, str(contact["country"]), contact.get("vat_id", ""))
    if expected_total is not None and costs.total != expected_total:
        text = _("The total is now %(total)s. Please check it, then order.")
        raise CartChanged(cart.changes or [text % {"total": money(costs.total)}])
    if why_not := refusal(costs):
        raise NotPayable([why_not])
    with transaction.atomic(durable=True):
        _lock(cart)
        # The order's row comes before the stock: its unique checkout_key must stop a form sent twice at once
        # before the stock does.
        order, lines = _write(cart, costs, contact=contact, **values)
        _take_stock(lines)
        _redeem(cart, order)
        VatId.objects.note(order.vat_id)
        mails.confirmation(order, lines)
    return order


def _found(placed: Order, cart: Cart, contact: Mapping[str, Any], expected_total: Decimal | None) -> Order:
    """Return the order that the cart's key has made before, if it is the one that the buyer means."""
    is_over = placed.has_lapsed or placed.status in (Order.Status.EXPIRED, Order.Status.CANCELLED)
    if cart.pieces and (is_over or cart.pieces != placed.pieces()):
        cart.renew_key()  # or every try of this cart would end here
        raise OrderedBefore(placed)
    if expected_total is not None and expected_total != placed.total:
        raise PlacedAlready(placed)
    return _amended(placed, contact)


def _amended(order: Order, contact: Mapping[str, Any]) -> Order:
    """Take over what the buyer corrected after going back from the pay page, as long as nothing is paid."""
    changed = {name: value for name, value in contact.items() if getattr(order, name) != value}
    if not changed or order.status != Order.Status.AWAITING_PAYMENT:
        return order
    if "country" in changed or vat.relief(str(order.country), contact.get("vat_id", "")) != order.vat_relief:
        raise PlacedAlready(order)
    with transaction.atomic():
        if Order.objects.filter(pk=order.pk, status=Order.Status.AWAITING_PAYMENT).update(**changed):
            order.refresh_from_db()
            order.remember(_("The buyer corrected name or address."), actor=order.buyer)
            if "email" in changed:
                mails.confirmation(order, order.lines.all(), is_corrected=True)
    return order


def _lock(cart: Cart) -> None:
    """Lock the products in id order and refuse if one is no longer what the cart, read before the lock, says."""
    shown = [line.product for line in cart.lines]
    rows = Product.objects.on_show().filter(pk__in=[product.pk for product in shown]).order_by("pk")
    now = {pk: costs for pk, *costs in rows.select_for_update(no_key=True).values_list("pk", "price", "vat_rate")}
    messages = list(cart.changes)
    for product in shown:
        if product.pk not in now:
            messages.append(_("%(name)s is no longer for sale.") % {"name": product.name})
        elif now[product.pk] != [product.price, product.vat_rate]:
            messages.append(_("The price of %(name)s has changed.") % {"name": product.name})
    if messages:
        raise CartChanged(messages)


def _write(cart: Cart, costs: Quote, **values: Any) -> tuple[Order, list[OrderLine]]:
    order = Order.objects.create(
        currency=settings.SHOP_CURRENCY,
        subtotal=costs.subtotal,
        coupon_code=cart.coupon.code if cart.coupon else "",
        discount=costs.discount,
        shipping=costs.shipping,
        total=costs.total,
        vat=costs.vat,
        vat_relief=costs.relief,
        expires_at=timezone.now() + UNPAID_FOR,
        **values.pop("contact"),
        **values,
    )
    lines = [
        OrderLine(
            order=order,
            product=line.product,
            name=line.product.name,
            unit_price=line.unit_price,
            vat_rate=line.vat_rate,
            quantity=line.quantity,
            is_digital=line.product.is_digital,
        )
        for line in costs.lines
    ]
    OrderLine.objects.bulk_create(lines)
    order.remember(_("Placed."), status=order.status, actor=order.buyer)
    return order, lines


def _take_stock(lines: Sequence[OrderLine]) -> None:
    try:
        stock.take(lines)
    except stock.Short as short:
        raise SoldOut(next(line.product for line in lines if line.product_id == short.product_id)) from short


def _redeem(cart: Cart, order: Order) -> None:
    if cart.coupon:
        try:
            coupons.redeem(cart.coupon, order.pk, email=order.email, user=order.buyer)
        except coupons.CouponRefused as refusal:
            raise CouponGone([str(refusal)]) from refusal
