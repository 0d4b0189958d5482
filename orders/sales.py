"""Figures for the admin's start page: what came in per day, week or month, and what waits for somebody."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from shop.models import Product

from .models import Invoice, Order, VatId, Withdrawal

# The chart's size in SVG units.
WIDTH, HEIGHT, BASE = 720, 200, 170
NEARLY_GONE = 3  # pieces left at which staff see a product listed; what buyers are told is shop.models.cards.SCARCE


class Period(NamedTuple):
    label: Any
    span: Any  # what all bars together are
    bars: int
    start: Callable[[date], date]  # the first day of the period a day is in
    format: str


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _first(day: date) -> date:
    return day.replace(day=1)


PERIODS = {
    "day": Period(_("per day"), _("the last 30 days"), 30, lambda day: day, "j M"),
    "week": Period(_("per week"), _("the last 26 weeks"), 26, _monday, "j M"),
    "month": Period(_("per month"), _("the last 12 months"), 12, _first, "M y"),
}


class Bar(NamedTuple):
    label: str
    amount: Decimal
    x: float
    y: float
    width: float
    height: float
    is_labelled: bool


def chart(name: str) -> list[Bar]:
    """Return the bars of what was paid less what was given back; the last one is the running period."""
    period = PERIODS[name]
    starts = _starts(period)
    sums = dict.fromkeys(starts, Decimal(0))
    for day, amount in _by_day(starts[0]):
        if (start := period.start(day)) in sums:
            sums[start] += amount
    top = max([*sums.values(), Decimal(1)])
    step = WIDTH / len(sums)
    every = len(sums) // 6
    return [
        _bar(index, date_format(start, period.format), amount, top, step, is_labelled=index % every == 0)
        for index, (start, amount) in enumerate(sums.items())
    ]


def _bar(index: int, label: str, amount: Decimal, top: Decimal, step: float, *, is_labelled: bool) -> Bar:
    height = round(float(max(amount, Decimal(0)) / top) * (BASE - 20), 1)
    return Bar(
        label, amount, round(index * step + 2, 1), round(BASE - height, 1), round(step - 4, 1), height, is_labelled
    )


def _starts(period: Period) -> list[date]:
    start = period.start(timezone.localdate())
    starts = [start]
    while len(starts) < period.bars:
        start = period.start(start - timedelta(days=1))
        starts.append(start)
    return starts[::-1]


def _by_day(first: date) -> list[tuple[date, Decimal]]:
    """Add up in the database: a year is 366 rows, however many orders it had."""
    midnight = timezone.make_aware(datetime.combine(first, time.min))
    paid = _sums(Order.objects.filter(paid_at__gte=midnight, currency=settings.SHOP_CURRENCY), "paid_at")
    notes = Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE, order__currency=settings.SHOP_CURRENCY)
    back = _sums(notes.filter(created_at__gte=midnight), "created_at")
    return paid + [(day, -amount) for day, amount in back]


def _sums(rows: QuerySet[Any], column: str) -> list[tuple[date, Decimal]]:
    by_day = rows.order_by().annotate(day=TruncDate(column)).values_list("day")
    return list(by_day.annotate(amount=Sum("total")))


def today() -> dict[str, Any]:
    """Return what the staff ask first in the morning."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "ordered": Order.objects.filter(created_at__gte=midnight).count(),
        "takings": sum((amount for _day, amount in _by_day(midnight.date())), Decimal(0)),
        "to_send": Order.objects.filter(status=Order.Status.PAID).count(),
        "withdrawals": Withdrawal.objects.filter(handled_at=None).count(),
        "vat_ids": VatId.objects.waiting().count() if settings.VAT_REVERSE_CHARGE != "off" else 0,
    }


def scarce() -> QuerySet[Product]:
    """Return products that run out, the emptiest first."""
    return Product.objects.on_show().filter(stock__lte=NEARLY_GONE).order_by("stock", "name")[:10]
