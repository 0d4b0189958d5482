"""What sending an order costs: one flat rate per group of countries, nothing above an amount, nothing for downloads."""

from collections.abc import Iterable
from decimal import Decimal

from django.core.cache import cache

from shop.models import Product
from shop.money import payable

from .models import ShippingRate

# What is charged is what was shown (checkout.place_order compares), so a rate may be a minute late.
RATES, SECONDS_KEPT = "shipping-rates", 60

Rate = tuple[list[str], str, str | None]  # countries, price, free from: numbers and texts, as the cache takes them


class NoShipping(Exception):
    """The shop does not send to this country."""


def cost(country: str, goods: Decimal, products: Iterable[Product]) -> Decimal:
    """
    Return the cost for goods of that value, after the discount.

    Raises NoShipping when there are rates, but none for the country. A shop without any rate sends for nothing.
    """
    if all(product.is_digital for product in products):
        return Decimal(0)
    rates = cache.get_or_set(RATES, rates_now, SECONDS_KEPT) or []
    if not rates:
        return Decimal(0)
    for countries, price, free_from in sorted(rates, key=lambda rate: not rate[0]):  # the rest of the world comes last
        if not countries or country in countries:
            return Decimal(0) if free_from is not None and goods >= Decimal(free_from) else payable(Decimal(price))
    raise NoShipping(country)


def rates_now() -> list[Rate]:
    return [
        (
            [str(country) for country in rate.countries],
            str(rate.price),
            None if rate.free_from is None else str(rate.free_from),
        )
        for rate in ShippingRate.objects.all()
    ]
