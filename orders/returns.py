"""
What goes back of an order: so many pieces of its lines, and the shipping.

They are worth what was paid for them, their share of the discount taken off, so that all pieces and the shipping
together are worth the order's total, however they are sent back.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from shop.money import quantize

from .models import Order, OrderLine
from .totals import share


@dataclass(frozen=True)
class Things:
    """So many pieces of each line, by the line's id; and whether the shipping is given back as well."""

    pieces: Mapping[int, int] = field(default_factory=dict)
    shipping: bool = False

    def __bool__(self) -> bool:
        return bool(self.pieces) or self.shipping

    def as_json(self) -> dict[str, Any]:
        return {"pieces": {str(pk): number for pk, number in self.pieces.items()}, "shipping": self.shipping}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Self:
        kept = kept or {}
        pieces = {int(pk): number for pk, number in kept.get("pieces", {}).items()}
        return cls(pieces, bool(kept.get("shipping")))

    @classmethod
    def together(cls, many: Iterable["Things"]) -> Self:
        pieces: Counter[int] = Counter()
        shipping = False
        for things in many:
            pieces.update(things.pieces)
            shipping = shipping or things.shipping
        return cls(pieces, shipping)


def are_there(order: Order, things: Things, *, before: Things) -> bool:
    """Return whether the order has these things and they have not gone back before."""
    ordered = {line.pk: line.quantity for line in order.lines.all()}
    is_left = all(0 < number <= ordered.get(pk, 0) - before.pieces.get(pk, 0) for pk, number in things.pieces.items())
    return is_left and not (things.shipping and (before.shipping or not order.shipping))


def worth(order: Order, things: Things, *, before: Things) -> dict[Decimal, Decimal]:
    """Return what the things are worth, by VAT rate, when those `before` have gone back already."""
    by_rate: dict[Decimal, list[OrderLine]] = {}
    for line in order.lines.all():
        by_rate.setdefault(line.vat_rate, []).append(line)
    rates = sorted(by_rate, reverse=True)  # as totals.per_rate() does, so that both share to the same cent
    goods = [sum((line.total for line in by_rate[rate]), Decimal(0)) for rate in rates]
    less, more = share(order.discount, goods, order.currency), share(order.shipping, goods, order.currency)
    found = {}
    for rate, gross, minus, plus in zip(rates, goods, less, more, strict=True):
        values = share(gross - minus, [line.total for line in by_rate[rate]], order.currency)
        part = plus if things.shipping else Decimal(0)
        for line, value in zip(by_rate[rate], values, strict=True):
            first = before.pieces.get(line.pk, 0)
            part += _value(line, value, first + things.pieces.get(line.pk, 0), order) - _value(
                line, value, first, order
            )
        found[rate] = part
    return found


def _value(line: OrderLine, value: Decimal, pieces: int, order: Order) -> Decimal:
    """Return what the first so many pieces of a line are worth: rounded as a whole, so that no cent is lost."""
    return quantize(value * pieces / line.quantity, order.currency)
