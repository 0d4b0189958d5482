"""
Amounts of money: Decimal in the shop's one currency inside the site, integer minor units at Stripe's border.

The number of decimals follows ISO 4217: none for JPY, three for BHD, two for most. Stripe wants three-decimal amounts
to end in 0 (https://docs.stripe.com/currencies#three-decimal), which the catalogue's price field sees to.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext_lazy as _

ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)  # https://docs.stripe.com/currencies#zero-decimal
THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def exponent(currency: str = "") -> int:
    """Return how many decimals the currency has; the shop's own when none is named."""
    currency = (currency or settings.SHOP_CURRENCY).upper()
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def quantize(amount: Decimal, currency: str = "") -> Decimal:
    """Round half up to the currency's decimals; call it once, where an amount is made."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), rounding=ROUND_HALF_UP)


def to_minor(amount: Decimal, currency: str = "") -> int:
    """Return the amount in minor units, as Stripe counts: 12.50 EUR is 1250, 500 JPY is 500."""
    return int(quantize(amount, currency).scaleb(exponent(currency)))


def from_minor(amount: int, currency: str = "") -> Decimal:
    return Decimal(amount).scaleb(-exponent(currency))


def money(amount: Decimal, currency: str = "") -> str:
    """Format for people, in the active language: "€12.50", "12,50 €", "CHF 12.50"."""
    currency = (currency or settings.SHOP_CURRENCY).upper()
    return _formatted(quantize(amount, currency), currency, get_language() or settings.LANGUAGE_CODE)


@lru_cache(maxsize=4096)  # a list shows the same few prices again and again; each takes ten microseconds
def _formatted(amount: Decimal, currency: str, language: str) -> str:
    text = format_currency(amount, currency, locale=_locale(language), decimal_quantization=False)
    # Unicode's rules put a space between a letter and a digit; Babel follows the pattern to the letter and does not.
    return re.sub(r"(?<=[^\W\d_])(?=\d)", "\xa0", text)


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(to_locale(language))
    except (UnknownLocaleError, ValueError):  # one that Django knows and Unicode's tables do not
        return Locale("en")


def validate_price(amount: Decimal) -> None:
    """Refuse a price that is not positive or that cannot be paid in the shop's currency."""
    if amount <= 0:
        raise ValidationError(_("A price is more than zero."), code="not_positive")
    # Stripe takes three-decimal amounts only when they end in 0.
    payable = quantize(amount, "EUR") if exponent() == 3 else quantize(amount)
    if payable != amount:
        raise ValidationError(
            _("%(currency)s is paid with at most %(decimals)s decimals."),
            code="too_many_decimals",
            params={"currency": settings.SHOP_CURRENCY, "decimals": min(exponent(), 2)},
        )
