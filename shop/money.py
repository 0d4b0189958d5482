"""
Amounts of money: Decimal in the shop's one currency inside the site. currencies.py knows how each currency counts, and
charges.py turns amounts into Stripe's whole units and back.
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

from .currencies import currency_of


def exponent(currency: str = "") -> int:
    """Return how many decimals the currency has; the shop's own when none is named."""
    return currency_of(currency or settings.SHOP_CURRENCY).decimals


def quantize(amount: Decimal, currency: str = "") -> Decimal:
    """Round half up to the currency's decimals; call it once, where an amount is made."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), rounding=ROUND_HALF_UP)


def payable(amount: Decimal, currency: str = "") -> Decimal:
    """Round half up to what can be charged: as quantize() does, but to a multiple of 0.010 for a dinar."""
    step = Decimal(1).scaleb(-currency_of(currency or settings.SHOP_CURRENCY).payable_decimals)
    return quantize(amount.quantize(step, rounding=ROUND_HALF_UP), currency)


def to_minor(amount: Decimal, currency: str = "") -> int:
    """Return the amount in its smallest units, to be shared out: 12.50 EUR is 1250, 500 JPY is 500."""
    return int(quantize(amount, currency).scaleb(exponent(currency)))


def from_minor(amount: int, currency: str = "") -> Decimal:
    return Decimal(amount).scaleb(-exponent(currency))


def money(amount: Decimal, currency: str = "") -> str:
    """Format for people, in the active language: "€12.50", "12,50 €", "CHF 12.50"."""
    return _formatted(amount, currency or settings.SHOP_CURRENCY, get_language() or settings.LANGUAGE_CODE)


@lru_cache(maxsize=4096)  # a list shows the same few prices again and again; each takes thirty microseconds
def _formatted(amount: Decimal, currency: str, language: str) -> str:
    amount, currency = quantize(amount, currency), currency.upper()
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
    currency = currency_of(settings.SHOP_CURRENCY)
    if amount <= 0:
        raise ValidationError(_("A price is more than zero."), code="not_positive")
    if payable(amount) != amount:
        raise ValidationError(
            _("%(currency)s is paid with at most %(decimals)s decimals."),
            code="too_many_decimals",
            params={"currency": currency.code, "decimals": currency.payable_decimals},
        )
    if amount > currency.most:
        raise ValidationError(
            _("At most %(most)s can be paid at once."), code="too_much", params={"most": money(currency.most)}
        )
