"""
Invoices and credit notes: a gapless number, a frozen copy of what is printed, and the PDF made from that copy.

The number is raised inside the transaction that pays the order, so it rolls back with it; a sequence or
MAX + 1 would leave gaps or doubles. The PDF is made outside of any transaction: it takes a second.
"""

import gc
import hashlib
import logging
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django_countries import countries

from core.jobs import transactions
from core.jobs.background import delay_on_commit
from mail.attachments import Attachment
from shop.money import quantize

from . import fonts, vat
from .models import Invoice, Order
from .totals import RateTotal, left_of, portion

logger = logging.getLogger(__name__)

RAISE = """
    INSERT INTO orders_invoicecounter ("year", "last") VALUES (%s, 1)
    ON CONFLICT ("year") DO UPDATE SET "last" = orders_invoicecounter."last" + 1
    RETURNING "last"
"""


def issue(order: Order) -> Invoice:
    """Number and freeze the order's invoice inside the caller's transaction; a second call returns the first one."""
    invoice = order.invoices.filter(kind=Invoice.Kind.INVOICE).first()
    return invoice or _write(order, Invoice.Kind.INVOICE, "", _content(order))


def credit(
    order: Order,
    amount: Decimal,
    reason: str,
    *,
    reference: str = "",
    wanted: Mapping[Decimal, Decimal] | None = None,
) -> Invoice:
    """
    Write the credit note for a refund of `amount` inside the caller's transaction, which holds the order's lock.

    `wanted` says how much of it belongs to which VAT rate, where it is known; else it is shared in proportion.
    The same `reference` (Stripe's refund id, say) again returns the first note; without one each call writes a new.
    """
    notes = order.invoices.filter(kind=Invoice.Kind.CREDIT_NOTE)
    if reference and (note := notes.filter(reference=reference).first()):
        return note
    corrected = order.invoices.get(kind=Invoice.Kind.INVOICE)
    left = left_of(rates_of(corrected), (row for note in notes for row in rates_of(note)))
    content = corrected.snapshot | {
        "rates": _rates(portion(left, amount, order.currency, wanted)),
        "total": str(quantize(amount, order.currency)),
        "corrects": corrected.label,
        "reason": reason,
    }
    return _write(order, Invoice.Kind.CREDIT_NOTE, reference or f"note-{notes.count() + 1}", content)


def _write(order: Order, kind: str, reference: str, content: dict[str, Any]) -> Invoice:
    transactions.require("An invoice number")
    today = timezone.localdate()
    invoice = Invoice.objects.create(
        order=order,
        kind=kind,
        reference=reference,
        year=today.year,
        number=_next_number(today.year),
        total=Decimal(content["total"]),
        snapshot=content | {"date": today.isoformat()},
    )

    delay_on_commit("orders.tasks.make_pdf", invoice.pk)
    return invoice


def _next_number(year: int) -> int:
    """Raise the year's counter, whose row then is locked until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(RAISE, [year])
        number: int = cursor.fetchone()[0]
    return number


def _content(order: Order) -> dict[str, Any]:
    """Copy everything an invoice shows, amounts as text, so that nothing that changes later changes it."""

    def amount(value: Decimal) -> str:
        return str(quantize(value, order.currency))

    return {
        "seller": {
            "name": settings.SELLER_NAME,
            "address": settings.SELLER_ADDRESS,
            "vat_id": settings.SELLER_VAT_ID,
            "tax_number": settings.SELLER_TAX_NUMBER,
            "email": settings.SELLER_EMAIL,
            "register": settings.SELLER_REGISTER,
        },
        "buyer": {
            "name": order.full_name,
            "company": order.company,
            "address": order.address,
            "postal_code": order.postal_code,
            "city": order.city,
            "country": countries.name(str(order.country)),
            "vat_id": order.vat_id,
            "email": order.email,
        },
        "order": order.pk,
        "ordered_on": timezone.localdate(order.created_at).isoformat(),
        "currency": order.currency,
        "lines": [
            {
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": amount(line.unit_price),
                "vat_rate": f"{line.vat_rate.normalize():f}",
                "total": amount(line.total),
            }
            for line in order.lines.all()
        ],
        "subtotal": amount(order.subtotal),
        "coupon_code": order.coupon_code,
        "discount": amount(order.discount),
        "shipping": amount(order.shipping),
        "rates": _rates(order.per_rate()),
        "total": amount(order.total),
        "vat_notes": vat.notes(order),
        "supply": _supply(order),
    }


def _supply(order: Order) -> str:
    """Say when the things are supplied, as far as it is known when they are paid (Art. 226 (7) Directive 2006/112/EC)."""
    on = order.sent_at or (
        order.paid_at or timezone.now() if all(line.is_digital for line in order.lines.all()) else None
    )
    if on is None:
        return _("Paid in advance, with thanks. The date of supply is the day on which the goods leave us.")
    return _("Paid with thanks. The date of supply is %(day)s.") % {"day": date_format(timezone.localdate(on))}


def rates_of(paper: Invoice) -> list[RateTotal]:
    """Return the rows per VAT rate as they are printed."""
    return [RateTotal(*(Decimal(row[name]) for name in RateTotal._fields)) for row in paper.snapshot["rates"]]


def _rates(rows: list[RateTotal]) -> list[dict[str, str]]:
    return [
        {"rate": f"{row.rate.normalize():f}", "net": str(row.net), "vat": str(row.vat), "gross": str(row.gross)}
        for row in rows
    ]


def pdf(invoice: Invoice) -> bytes:
    """Return the kept file, made now if it is not there yet."""
    if invoice.pdf:
        try:
            with storages["private"].open(invoice.pdf) as file:
                return bytes(file.read())
        except FileNotFoundError:
            logger.error("The file of invoice %s is gone and is made again from its frozen content", invoice.pk)
            Invoice.objects.filter(pk=invoice.pk, pdf=invoice.pdf).update(pdf="", sha256="")
    content = render(invoice.kind, invoice.label, invoice.snapshot)
    if _keep(invoice, content) and (boxes := fonts.missing(str(invoice.snapshot))):
        logger.warning("%s %s shows boxes: no font on this machine has %s", invoice.kind, invoice.pk, boxes)
        invoice.order.remember(_("The PDF shows boxes: no font here has %(letters)s.") % {"letters": boxes})
    return content


def attachment(invoice_id: str) -> Attachment:
    """Return the file for the mail that carries it."""
    invoice = Invoice.objects.get(pk=invoice_id)
    return Attachment(invoice.filename, pdf(invoice), "application/pdf")


def _keep(invoice: Invoice, content: bytes) -> bool:
    # The row comes after the file and the name is random: a crash in between leaves an orphan, never half a file.
    storage = storages["private"]
    name = f"invoices/{invoice.year}/{invoice.label}-{get_random_string(12).lower()}.pdf"
    name = storage.save(name, ContentFile(content))
    digest = hashlib.sha256(content).hexdigest()
    is_first = bool(Invoice.objects.filter(pk=invoice.pk, pdf="").update(pdf=name, sha256=digest))
    if not is_first:
        storage.delete(name)  # another process was quicker
    invoice.refresh_from_db(fields=["pdf", "sha256"])
    return is_first


# Pango's fonts are shared by all invoices, and are not made for threads.
_one_at_a_time = Lock()
_made = count()


@cache
def _fonts() -> Any:
    """Return the fonts for all invoices of this process; a set for each one stayed in memory, 0.3 MB an invoice."""
    from weasyprint.text.fonts import FontConfiguration  # late, as in render()

    return FontConfiguration()


def render(kind: str, label: str, snapshot: dict[str, Any]) -> bytes:
    """Lay the snapshot out as PDF/A-3; nothing is fetched, whatever the texts in it say."""
    # Imported here: it takes half a second, and a forked Celery worker that imported it before has crashed.
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher

    html = render_to_string("orders/invoice.html", {"kind": kind, "label": label, **snapshot})
    style = Path(finders.find("css/invoice.css") or "").read_text()
    fetcher = URLFetcher(allowed_protocols=["data"], allow_redirects=False)
    with _one_at_a_time:
        css = CSS(string=style, url_fetcher=fetcher, font_config=_fonts())
        content: bytes = HTML(string=html, url_fetcher=fetcher).write_pdf(
            stylesheets=[css], font_config=_fonts(), pdf_variant="pdf/a-3b"
        )
    # A laid out document is full of circles, which Python leaves lying for long: memory grew by the hundred invoices.
    # Looking through the whole heap costs as much as drawing one, so not each time.
    if next(_made) % 10 == 0:
        gc.collect()
    return content
