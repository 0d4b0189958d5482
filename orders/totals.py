"""
VAT inside gross prices: net, VAT and gross per rate, rounded once per rate so that they add up to the total.

A discount lowers, and shipping raises, the rates in proportion to the goods: both are part of the same supply
(Article 78 and 79 of the EU's VAT Directive 2006/112/EC).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from shop.money import from_minor, quantize, to_minor

# The most that a column of 12 digits, 3 of them decimals, holds. SQLite takes more, and then cannot be read any more.
MOST = Decimal("999999999.999")


class RateTotal(NamedTuple):
    rate: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal


def share(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split an amount in proportion to the weights, in whole minor units that add up to it (largest remainder)."""
    whole = to_minor(amount, currency)
    total = sum(weights)
    if not total:
        return [from_minor(whole if index == 0 else 0, currency) for index in range(len(weights))]
    exact = [whole * weight / total for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda index: parts[index] - exact[index])
    for index in by_remainder[: whole - sum(parts)]:
        parts[index] += 1
    return [from_minor(part, currency) for part in parts]


def per_rate(
    lines: Iterable[tuple[Decimal, Decimal]], *, discount: Decimal, shipping: Decimal, currency: str
) -> list[RateTotal]:
    """Return one row per VAT rate, highest first; `lines` are pairs of rate and gross amount."""
    goods: dict[Decimal, Decimal] = {}
    for rate, gross in lines:
        goods[rate] = goods.get(rate, Decimal(0)) + gross
    rates = sorted(goods, reverse=True)
    weights = [goods[rate] for rate in rates]
    less, more = share(discount, weights, currency), share(shipping, weights, currency)
    return [
        _split(rate, goods[rate] - minus + plus, currency) for rate, minus, plus in zip(rates, less, more, strict=True)
    ]


def net_of(gross: Decimal, rate: Decimal, currency: str) -> Decimal:
    return quantize(gross * 100 / (100 + rate), currency)


def net_of_shared(amount: Decimal, lines: Iterable[tuple[Decimal, Decimal]], currency: str) -> Decimal:
    """Return what is left without VAT of a discount or of shipping, which bear the rates of the goods."""
    goods = [*lines]
    parts = share(amount, [gross for _rate, gross in goods], currency)
    exact = sum((part * 100 / (100 + rate) for part, (rate, _gross) in zip(parts, goods, strict=True)), Decimal(0))
    return quantize(exact, currency)


def _split(rate: Decimal, gross: Decimal, currency: str) -> RateTotal:
    gross = quantize(gross, currency)
    net = net_of(gross, rate, currency)
    return RateTotal(rate, net, gross - net, gross)


def portion(rows: Sequence[RateTotal], amount: Decimal, currency: str) -> list[RateTotal]:
    """Return the rows for a part of the gross total, as a credit note over `amount` needs them."""
    parts = share(amount, [row.gross for row in rows], currency)
    return [_split(row.rate, part, currency) for row, part in zip(rows, parts, strict=True)]
