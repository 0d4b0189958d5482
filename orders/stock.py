"""What an order holds of the catalogue's stock: taken when it is placed, given back when it lapses, taken again."""

from django.db import transaction

from cart import coupons
from shop.models import Product

from .models import Order


class Short(Exception):
    """A product has fewer pieces than wanted. `product_id` says which."""

    def __init__(self, product_id: int) -> None:
        self.product_id = product_id
        super().__init__(f"product {product_id} is short")


def take(order: Order) -> None:
    """Lower the stock by the order's pieces, inside the caller's transaction, or raise Short."""
    for product_id, quantity in _pieces(order):
        if not Product.objects.take(product_id, quantity):
            raise Short(product_id)


def release(order: Order) -> bool:
    """Give the pieces, and the use of a coupon, of an order that came to nothing back; True only for the first call."""
    with transaction.atomic():
        if not Order.objects.filter(pk=order.pk, holds_stock=True).update(holds_stock=False):
            return False
        for product_id, quantity in _pieces(order):
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
            take(order)
            if order.coupon_code:
                coupons.redeem_again(order.coupon_code, order.pk, email=order.email, user=order.buyer)
    order.holds_stock = True


def _pieces(order: Order) -> list[tuple[int, int]]:
    """Return product ids with quantities, by id: two orders of the same products must not wait for each other."""
    return sorted(order.pieces().items())
