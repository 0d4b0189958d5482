"""Coupons between cart and order: found by code, checked against a cart, counted when an order takes one."""

from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from account.models import User
from shop.money import money

from .models import Coupon, CouponUse


class CouponRefused(Exception):
    """The coupon cannot be used; the message says why, for the buyer."""


def find(code: str) -> Coupon:
    """Return the usable coupon of a typed code, or raise CouponRefused."""
    coupon = Coupon.objects.usable().coded(code).first()
    if coupon is None:
        raise CouponRefused(_("This code is not valid, or no longer."))
    return coupon


def check_minimum(coupon: Coupon, subtotal: Decimal) -> None:
    if subtotal < coupon.minimum:
        raise CouponRefused(
            _("The code %(code)s needs a cart of at least %(minimum)s.")
            % {"code": coupon.code, "minimum": money(coupon.minimum)}
        )


def redeem(coupon: Coupon, order_id: int, *, email: str, user: User | None = None, is_late: bool = False) -> CouponUse:
    """
    Count the order's use of the coupon, inside the transaction that writes the order; raise CouponRefused if too many.

    `is_late` is for an order that had the coupon, let go of it and is paid after all: the coupon may have ended since.

    The first UPDATE locks the coupon's row, so parallel orders with the same coupon come one after the other and the
    count per customer below is true.
    """
    if not Coupon.objects.count_use(coupon.pk, is_late=is_late):
        raise CouponRefused(_("The code %(code)s is used up or no longer valid.") % {"code": coupon.code})
    email = email.strip().lower()
    earlier = check_uses(coupon, email=email, user=user)
    try:
        with transaction.atomic():
            return CouponUse.objects.create(coupon=coupon, order_id=order_id, email=email, user=user, nth=earlier + 1)
    except IntegrityError as error:
        raise used_before(coupon) from error


def check_uses(coupon: Coupon, *, email: str = "", user: User | None = None) -> int:
    """Return how often the customer has used the coupon, or raise CouponRefused when once more is too often."""
    earlier = uses_by(coupon, email=email, user=user).count()
    if coupon.max_uses_each is not None and earlier >= coupon.max_uses_each:
        raise used_before(coupon)
    return earlier


def used_before(coupon: Coupon) -> CouponRefused:
    return CouponRefused(_("You have used the code %(code)s already.") % {"code": coupon.code})


def uses_by(coupon: Coupon, *, email: str, user: User | None = None) -> QuerySet[CouponUse]:
    """Return the customer's uses, whether known by address or by account."""
    same = Q(email=email)
    if user is not None:
        same |= Q(user=user)
    return coupon.uses.filter(same)


def redeem_again(code: str, order_id: int, *, email: str, user: User | None = None) -> None:
    """Take the use back that release() gave away, or raise CouponRefused; a coupon deleted since has nothing to count."""
    if coupon := Coupon.objects.coded(code).first():
        redeem(coupon, order_id, email=email, user=user, is_late=True)


def release(order_id: int) -> bool:
    """Give an order's use back when the order came to nothing; False when there was none (or it is back already)."""
    with transaction.atomic():
        use = CouponUse.objects.filter(order_id=order_id).first()
        if use is None or not CouponUse.objects.filter(pk=use.pk).delete()[0]:
            return False
        Coupon.objects.give_back(use.coupon_id)
    return True
