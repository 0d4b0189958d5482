"""
VAT inside gross prices: net, VAT and gross per rate, rounded once per rate so that they add up to the total.

A discount lowers, and shipping raises, the rates in proportion to the goods: both are part of the same supply
(Article 78 and 79 of the EU's VAT Directive 2006/112/EC).
"""

from collections.abc import Iterable, Mapping, Sequence
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


def left_of(rows: Iterable[RateTotal], given: Iterable[RateTotal]) -> list[RateTotal]:
    """Return what is left of each rate once the `given` rows, those of earlier credit notes, are taken off."""
    left = {row.rate: row for row in rows}
    for row in given:
        of = left.get(row.rate, RateTotal(row.rate, Decimal(0), Decimal(0), Decimal(0)))
        left[row.rate] = RateTotal(row.rate, of.net - row.net, of.vat - row.vat, of.gross - row.gross)
    return list(left.values())


def portion(
    left: Sequence[RateTotal], amount: Decimal, currency: str, wanted: Mapping[Decimal, Decimal] | None = None
) -> list[RateTotal]:
    """
    Return the rows of a credit note over `amount`, out of what is left of the invoice: of each rate what is `wanted`,
    as far as it is there; else in proportion.

    What stays is the VAT of what stays, so all notes of an invoice add up to it, rate by rate, and the last takes the
    rest.
    """
    parts = [(wanted or {}).get(row.rate, Decimal(0)) for row in left]
    if sum(parts) != amount or any(part > row.gross for part, row in zip(parts, left, strict=True)):
        parts = share(amount, [max(row.gross, Decimal(0)) for row in left], currency)
    return take(left, parts, currency)


def take(left: Sequence[RateTotal], parts: Sequence[Decimal], currency: str) -> list[RateTotal]:
    """Return the rows that take these gross amounts out of what is left of each rate; none for a rate with nothing."""
    rows = []
    for row, gross in zip(left, parts, strict=True):
        stays = _split(row.rate, row.gross - gross, currency)
        tax = min(max(row.vat - stays.vat, Decimal(0)), gross) if stays.gross else row.vat
        rows.append(RateTotal(row.rate, gross - tax, tax, gross))
    return [row for row in rows if row.gross or row.vat]
