import pytest
from django.db.models import F
from django.db.models.functions import Greatest

from core.tests.races import MOST, Meeting, all_at_once
from shop.models import Product, ProductQuerySet
from shop.tests.factories import make_product


def buy(product_id: int) -> bool:
    # In no transaction of its own: SQLite's would let one buyer in at a time and hide a missing guard.
    return Product.objects.take(product_id, 1)


def sell_out(units: int) -> tuple[int, int | None]:
    product = make_product(stock=units)
    sold = all_at_once(buy, [product.pk] * MOST)
    return sum(sold), Product.objects.get(pk=product.pk).stock


@pytest.mark.django_db(transaction=True)
def test_twenty_buyers_of_five_units_get_five():
    assert sell_out(5) == (5, 0)


@pytest.mark.django_db(transaction=True)
def test_without_the_guard_more_are_sold_than_there_are(monkeypatch):
    meeting = Meeting(MOST)

    def careless(self, product_id: int, quantity: int) -> bool:
        enough = self.get(pk=product_id).stock >= quantity
        meeting.wait()
        return enough and bool(self.filter(pk=product_id).update(stock=Greatest(F("stock") - quantity, 0)))

    monkeypatch.setattr(ProductQuerySet, "take", careless)

    assert sell_out(5) == (MOST, 0)
