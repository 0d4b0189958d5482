"""What an order holds of the catalogue's stock: taken when it is placed, given back when it lapses, taken again."""

from collections import Counter
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import F

from cart import coupons
from shop.models import Product

from .models import Order, OrderLine


class Short(Exception):
    """A product has fewer pieces than wanted. `product_id` says which."""

    def __init__(self, product_id: int) -> None:
        self.product_id = product_id
        super().__init__(f"product {product_id} is short")


def take(lines: Iterable[OrderLine]) -> None:
    """Lower the stock by the pieces of an order's lines, inside the caller's transaction, or raise Short."""
    for product_id, quantity in _pieces(lines):
        if not Product.objects.take(product_id, quantity):
            raise Short(product_id)


def release(order: Order) -> bool:
    """Give the pieces, and the use of a coupon, of an order that came to nothing back; True only for the first call."""
    with transaction.atomic():
        if not Order.objects.filter(pk=order.pk, holds_stock=True).update(holds_stock=False):
            return False
        for product_id, quantity in _pieces(order.lines.all()):
            Product.objects.give_back(product_id, quantity)
        coupons.release(order.pk)
    order.holds_stock = False
    return True


def retake(order: Order) -> None:
    """
    Take the pieces, and the use of the coupon, again for an order whose money came late.

    Raises Short or CouponRefused, and nothing changed, when others have them by now.
    """
    with transaction.atomic():
        if Order.objects.filter(pk=order.pk, holds_stock=False).update(holds_stock=True):
            take(order.lines.all())
            if order.coupon_code:
                coupons.redeem_again(order.coupon_code, order.pk, email=order.email, user=order.buyer)
    order.holds_stock = True


def put_back(order: Order, pieces: Mapping[int, int]) -> None:
    """Put some pieces of a paid order, by the ids of its lines, back on the shelf, each of them once."""
    with transaction.atomic():
        if not Order.objects.filter(pk=order.pk, holds_stock=True).exists():
            return
        for line in order.lines.filter(pk__in=pieces).order_by("product_id"):
            number = pieces[line.pk]
            free = OrderLine.objects.filter(pk=line.pk, quantity__gte=F("restocked") + number)
            if free.update(restocked=F("restocked") + number):
                Product.objects.give_back(line.product_id, number)


def _pieces(lines: Iterable[OrderLine]) -> list[tuple[int, int]]:
    """Return product ids with what is held, by id: two orders of the same products must not wait for each other."""
    held: Counter[int] = Counter()
    for line in lines:
        held[line.product_id] += line.quantity - line.restocked
    return sorted(held.items())
