"""Orders as CSV, one row per order or one per line (core/staff/spreadsheets.py makes it safe to open)."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db.models import Prefetch
from django.http import StreamingHttpResponse

from core.staff.spreadsheets import CHUNK, csv_response
from shop.money import quantize

from .models import Invoice, Order, OrderLine, OrderQuerySet

Column = tuple[str, Callable[[Any], Any]]  # its heading, and what it tells of a row
ORDER_COLUMNS: list[Column] = [
    ("order", attrgetter("pk")),
    ("placed", attrgetter("created_at")),
    ("paid", attrgetter("paid_at")),
    ("sent", attrgetter("sent_at")),
    ("status", attrgetter("status")),
    ("invoice", lambda order: "".join(p.label for p in order.invoices.all() if p.kind == Invoice.Kind.INVOICE)),
    ("first name", attrgetter("first_name")),
    ("last name", attrgetter("last_name")),
    ("e-mail", attrgetter("email")),
    ("company", attrgetter("company")),
    ("VAT id", attrgetter("vat_id")),
    ("address", attrgetter("address")),
    ("postal code", attrgetter("postal_code")),
    ("city", attrgetter("city")),
    ("country", lambda order: str(order.country)),
    ("pieces", lambda order: sum(line.quantity for line in order.lines.all())),
    ("currency", attrgetter("currency")),
    ("goods", lambda order: _amount(order, order.subtotal)),
    ("coupon", attrgetter("coupon_code")),
    ("discount", lambda order: _amount(order, order.discount)),
    ("shipping", lambda order: _amount(order, order.shipping)),
    ("net", lambda order: _amount(order, order.net)),
    ("VAT", lambda order: _amount(order, order.vat)),
    ("total", lambda order: _amount(order, order.total)),
    ("why no VAT", attrgetter("vat_relief")),
]
LINE_COLUMNS: list[Column] = [
    ("order", attrgetter("order_id")),
    ("placed", attrgetter("order.created_at")),
    ("status", attrgetter("order.status")),
    ("product", attrgetter("product_id")),
    ("name", attrgetter("name")),
    ("quantity", attrgetter("quantity")),
    ("VAT rate", attrgetter("vat_rate")),
    ("unit price", lambda line: _amount(line.order, line.unit_price)),
    ("amount", lambda line: _amount(line.order, line.total)),
    ("currency", attrgetter("order.currency")),
]


def _amount(order: Order, amount: Decimal) -> Decimal:
    return quantize(amount, order.currency)


def orders_csv(orders: OrderQuerySet) -> StreamingHttpResponse:
    lines = OrderLine.objects.only("order_id", "quantity")
    related = Prefetch("lines", lines), Prefetch("invoices", Invoice.objects.without_content())
    # Without what the admin's list had asked for.
    plain = orders.select_related(None).prefetch_related(None).order_by("pk")
    rows = plain.prefetch_related(*related).iterator(chunk_size=CHUNK)
    return _csv("orders", ORDER_COLUMNS, rows)


def lines_csv(orders: OrderQuerySet) -> StreamingHttpResponse:
    lines = OrderLine.objects.filter(order__in=orders.order_by()).select_related("order").order_by("order_id", "pk")
    return _csv("order-lines", LINE_COLUMNS, lines.iterator(chunk_size=CHUNK))


def _csv(name: str, columns: Sequence[Column], things: Iterable[Any]) -> StreamingHttpResponse:
    rows = ([tell(thing) for _heading, tell in columns] for thing in things)
    return csv_response(name, [heading for heading, _tell in columns], rows)
