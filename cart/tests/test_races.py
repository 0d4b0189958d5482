import pytest
from django.db import transaction

from cart import coupons
from cart.models import Coupon, CouponQuerySet, CouponUse
from cart.tests.factories import make_coupon
from core.tests.races import MOST, Meeting, all_at_once


def use_at_once(coupon: Coupon) -> int:
    # In no transaction of its own: SQLite's would let one buyer in at a time and hide a missing guard.
    def use(order_id: int) -> bool:
        try:
            coupons.redeem(coupon, order_id, email=f"{order_id}@example.org")
        except coupons.CouponRefused:
            return False
        return True

    return sum(all_at_once(use, range(MOST)))


@pytest.mark.django_db(transaction=True)
def test_coupon_with_one_use_is_used_once():
    assert use_at_once(make_coupon(max_uses=1)) == 1
    assert (CouponUse.objects.count(), Coupon.objects.get().used) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_without_the_guard_everybody_uses_it(monkeypatch):
    meeting = Meeting(MOST)

    def careless(self, coupon_id: int, **_options) -> bool:
        coupon = self.get(pk=coupon_id)
        meeting.wait()
        return coupon.used < coupon.max_uses and bool(self.filter(pk=coupon_id).update(used=1))

    monkeypatch.setattr(CouponQuerySet, "count_use", careless)

    assert use_at_once(make_coupon(max_uses=1)) == MOST


@pytest.mark.django_db(transaction=True)
def test_one_buyer_in_many_tabs_uses_a_coupon_once():
    coupon = make_coupon(max_uses_each=1)

    def use(order_id: int) -> bool:
        try:
            with transaction.atomic():
                coupons.redeem(coupon, order_id, email="a@example.org")
        except coupons.CouponRefused:
            return False
        return True

    assert sum(all_at_once(use, range(MOST))) == 1
    assert (CouponUse.objects.count(), Coupon.objects.get().used) == (1, 1)
