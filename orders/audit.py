"""Proof that the books are right: numbers without gaps, amounts that add up, papers that say what the rows say."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.core.files.storage import storages
from django.db import InterfaceError, OperationalError
from django.db.models import Count, Q, QuerySet, Sum

from shop.money import quantize

from .invoice import rates_of
from .models import Invoice, InvoiceCounter, Order
from .totals import left_of
from .vat_rules import Relief, state_of

CHUNK = 1000

Check = Callable[[], Iterator[str]]
_checks: list[Check] = []


def register(check: Check) -> Check:
    """Add a check that yields one sentence for each thing that is wrong; other apps may, in AppConfig.ready."""
    _checks.append(check)
    return check


def problems() -> Iterator[str]:
    """Return what all checks find. One that breaks says so, and the others go on."""
    for check in _checks:
        try:
            yield from check()
        except (OperationalError, InterfaceError):  # the database is away: that says nothing about the books
            raise
        except Exception as error:
            yield f"{check.__module__}.{check.__name__} could not be finished: {error!r}"


def each(rows: QuerySet[Any], check: Callable[[Any], Iterable[str]]) -> Iterator[str]:
    """Look at the rows in the order of their ids, many at a time; one that cannot be read is a finding of its own."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for pks in (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)):
        try:
            found = [text for row in rows.filter(pk__in=pks).order_by("pk") for text in check(row)]
        except Exception:
            found = [text for pk in pks for text in _one(rows, pk, check)]
        yield from found


def _one(rows: QuerySet[Any], pk: Any, check: Callable[[Any], Iterable[str]]) -> list[str]:
    try:
        return [text for row in rows.filter(pk=pk) for text in check(row)]
    except Exception as error:
        return [f"{rows.model._meta.verbose_name} {pk} cannot be read: {error!r}".capitalize()]


@register
def numbers() -> Iterator[str]:
    """Each year's numbers are 1, 2, 3 up to its counter."""
    counters = dict(InvoiceCounter.objects.values_list("year", "last"))
    for year in sorted(counters.keys() | set(Invoice.objects.order_by().values_list("year", flat=True).distinct())):
        last = counters.get(year, 0)
        expected = 1
        for number in Invoice.objects.filter(year=year).order_by("number").values_list("number", flat=True).iterator():
            if number != expected:
                yield f"{year}: invoice number {expected} is missing, {number} follows"
            expected = number + 1
        if expected != last + 1:
            yield f"{year}: the counter stands at {last}, the last invoice is {expected - 1}"


@register
def orders_add_up() -> Iterator[str]:
    """Lines, discount, shipping and VAT make each order's total."""
    yield from each(Order.objects.prefetch_related("lines"), _adds_up)


def _adds_up(order: Order) -> Iterator[str]:
    if sum((line.total for line in order.lines.all()), Decimal(0)) != order.subtotal:
        yield f"Order {order.pk}: its lines are not its subtotal {order.subtotal}"
    if order.subtotal - order.discount + order.shipping != order.total:
        yield f"Order {order.pk}: its parts are not its total {order.total}"
    if sum((row.vat for row in order.per_rate()), Decimal(0)) != order.vat:
        yield f"Order {order.pk}: the VAT of its rates is not {order.vat}"


@register
def orders_without_vat_say_why() -> Iterator[str]:
    """An order with a reason for no VAT has none, and a business in another country has its VAT id on it."""
    yield from each(Order.objects.exclude(vat_relief="").prefetch_related("lines"), _says_why)


def _says_why(order: Order) -> Iterator[str]:
    if order.vat or any(line.vat_rate for line in order.lines.all()):
        yield f"Order {order.pk} should carry no VAT ({order.vat_relief}) and does"
    # By its letters alone: ids in older orders passed without a look at their check digits.
    if order.vat_relief == Relief.INTRA_EU and order.vat_id[:2] != state_of(str(order.country)):
        yield f"Order {order.pk} carries no VAT and has no VAT id of its country"


@register
def paid_orders_have_one_invoice() -> Iterator[str]:
    """Money came in: one invoice. None came in: none. Given back: credit notes, never more than the invoice."""
    invoices = Count("invoices", Q(invoices__kind=Invoice.Kind.INVOICE))
    noted = Sum("invoices__total", filter=Q(invoices__kind=Invoice.Kind.CREDIT_NOTE), default=Decimal(0))
    yield from each(Order.objects.annotate(papers=invoices, noted=noted), _has_its_papers)


def _has_its_papers(order: Any) -> Iterator[str]:
    expected = 1 if order.is_paid_for else 0
    # Money that came too late and goes straight back has an invoice only if it was booked before.
    if order.papers != expected and not order.has_gone_back:
        yield f"Order {order.pk} is {order.status} and has {order.papers} invoices"
    if quantize(order.noted, order.currency) > order.total:
        yield f"Order {order.pk}: credit notes over {order.noted} for a total of {order.total}"


@register
def papers_say_what_the_order_says() -> Iterator[str]:
    """The frozen content adds up, and is the order's total where it is the invoice."""
    yield from each(Invoice.objects.select_related("order"), _says_what_the_order_says)


def _says_what_the_order_says(paper: Invoice) -> Iterator[str]:
    rates = paper.snapshot["rates"]
    if sum((Decimal(row["gross"]) for row in rates), Decimal(0)) != paper.total:
        yield f"{paper.kind} {paper.label}: its rates do not make {paper.total}"
    if any(Decimal(row["net"]) + Decimal(row["vat"]) != Decimal(row["gross"]) for row in rates):
        yield f"{paper.kind} {paper.label}: net and VAT do not make gross"
    if paper.kind == Invoice.Kind.INVOICE and paper.total != paper.order.total:
        yield f"Invoice {paper.label} is over {paper.total}, its order over {paper.order.total}"


@register
def credit_notes_correct_their_invoice() -> Iterator[str]:
    """Rate by rate the notes take no more than the invoice has; and all of it, VAT included, once all is given back."""
    noted = Order.objects.filter(invoices__kind=Invoice.Kind.CREDIT_NOTE).distinct()
    yield from each(noted.prefetch_related("invoices"), _is_corrected_exactly)


def _is_corrected_exactly(order: Order) -> Iterator[str]:
    papers = list(order.invoices.all())
    invoices = [paper for paper in papers if paper.kind == Invoice.Kind.INVOICE]
    notes = [paper for paper in papers if paper.kind == Invoice.Kind.CREDIT_NOTE]
    left = left_of(
        (row for paper in invoices for row in rates_of(paper)), (row for note in notes for row in rates_of(note))
    )
    for row in left:
        if min(row.net, row.vat, row.gross) < 0 or (not row.gross and row.vat):
            yield f"Order {order.pk}: its credit notes leave {row.gross} with {row.vat} VAT at {row.rate} %"


@register
def lapsed_orders_hold_nothing() -> Iterator[str]:
    lapsed = Order.objects.filter(status__in=[Order.Status.EXPIRED, Order.Status.CANCELLED], holds_stock=True)
    for pk in lapsed.values_list("pk", flat=True):
        yield f"Order {pk} has lapsed and still holds stock"


def files() -> Iterator[str]:
    """Every kept PDF is there and is the one that was made; reads them all, so not part of problems()."""
    storage = storages["private"]
    for paper in Invoice.objects.exclude(pdf="").order_by("pk").iterator(chunk_size=CHUNK):
        try:
            with storage.open(paper.pdf) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            yield f"{paper.kind} {paper.label}: its file {paper.pdf} is gone"
            continue
        if digest != paper.sha256:
            yield f"{paper.kind} {paper.label}: its file was changed"
