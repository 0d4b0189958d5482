"""Orders as CSV, one row per order or one per line (core/staff/spreadsheets.py makes it safe to open)."""

from decimal import Decimal

from django.db.models import Prefetch
from django.http import StreamingHttpResponse

from core.staff.spreadsheets import CHUNK, Row, csv_response
from shop.money import quantize

from .models import Invoice, Order, OrderLine, OrderQuerySet

ORDER_COLUMNS = [
    *("order", "placed", "paid", "sent", "status", "invoice", "first name", "last name", "e-mail", "company", "VAT id"),
    *("address", "postal code", "city", "country", "pieces", "currency", "goods", "coupon", "discount", "shipping"),
    *("net", "VAT", "total", "why no VAT"),
]
LINE_COLUMNS = [
    "order",
    "placed",
    "status",
    "product",
    "name",
    "quantity",
    "VAT rate",
    "unit price",
    "amount",
    "currency",
]


def order_row(order: Order) -> Row:
    papers = [paper.label for paper in order.invoices.all() if paper.kind == Invoice.Kind.INVOICE]
    amounts = (order.net, order.vat, order.total)
    return [
        *(order.pk, order.created_at, order.paid_at, order.sent_at, order.status, "".join(papers)),
        *(order.first_name, order.last_name, order.email, order.company, order.vat_id),
        *(order.address, order.postal_code, order.city, str(order.country)),
        *(sum(line.quantity for line in order.lines.all()), order.currency, _amount(order, order.subtotal)),
        *(order.coupon_code, _amount(order, order.discount), _amount(order, order.shipping)),
        *(_amount(order, amount) for amount in amounts),
        order.vat_relief,
    ]


def line_row(line: OrderLine) -> Row:
    order = line.order
    return [
        *(order.pk, order.created_at, order.status, line.product_id, line.name, line.quantity, line.vat_rate),
        *(_amount(order, line.unit_price), _amount(order, line.total), order.currency),
    ]


def _amount(order: Order, amount: Decimal) -> Decimal:
    return quantize(amount, order.currency)


def orders_csv(orders: OrderQuerySet) -> StreamingHttpResponse:
    lines = OrderLine.objects.only("order_id", "quantity")
    related = Prefetch("lines", lines), Prefetch("invoices", Invoice.objects.without_content())
    # Without what the admin's list had asked for.
    plain = orders.select_related(None).prefetch_related(None).order_by("pk")
    rows = plain.prefetch_related(*related).iterator(chunk_size=CHUNK)
    return csv_response("orders", ORDER_COLUMNS, map(order_row, rows))


def lines_csv(orders: OrderQuerySet) -> StreamingHttpResponse:
    lines = OrderLine.objects.filter(order__in=orders.order_by()).select_related("order").order_by("order_id", "pk")
    return csv_response("order-lines", LINE_COLUMNS, map(line_row, lines.iterator(chunk_size=CHUNK)))
