"""Amounts as Stripe counts them, and which it would refuse. Below the orders, so that they can ask before they exist."""

from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _

from .currencies import currency_of
from .money import money, payable

# A Checkout Session has at most so many (https://docs.stripe.com/api/checkout/sessions/create).
MAX_LINES = 100


def to_stripe(amount: Decimal, code: str) -> int:
    """Return the amount as Stripe counts: 12.50 EUR is 1250, 500 JPY is 500, 500 UGX is 50000, 1.250 BHD is 1250."""
    return int(payable(amount, code).scaleb(currency_of(code).stripe_decimals))


def from_stripe(units: int, code: str) -> Decimal:
    return Decimal(units).scaleb(-currency_of(code).stripe_decimals)


def refusal(total: Decimal, *, discount: Decimal = Decimal(0), code: str = "") -> str:
    """
    Say in words for the buyer why Stripe would not take this total; empty when it would, or nothing is to be paid.

    `discount` is what was taken off: Stripe adds up the lines before it, and that sum must fit as well.
    """
    code = code or settings.SHOP_CURRENCY
    row = currency_of(code)
    if not total:
        return ""
    if total < row.least:
        return _("The least that can be paid is %(least)s. Please add something to your cart.") % {
            "least": money(row.least, code)
        }
    if total + discount > row.most:
        return _("The most that can be paid at once is %(most)s. Please place several orders.") % {
            "most": money(row.most, code)
        }
    return ""
