"""The mails an order causes. Each is written in the transaction that causes it; its key makes a second one impossible."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from account.models import User
from core.web.links import site_url
from mail import outbox
from mail.models import OutgoingMail

from .models import Invoice, Order, OrderLine, Withdrawal

# What makes these mails unique; followed by the order's id.
CONFIRMATION_KEY = "order-confirmation"
INVOICE_KEY = "invoice-mail"
SENT_KEY = "order-sent"


def confirmation(order: Order, lines: Iterable[OrderLine], *, is_corrected: bool = False) -> None:
    """Confirm the order; once more when the buyer corrected the address it goes to."""
    key = f"{CONFIRMATION_KEY}:{order.pk}"
    if is_corrected and OutgoingMail.objects.filter(dedup_key=key).exclude(to__iexact=order.email).exists():
        key = f"{key}:{order.email.lower()}"[:200]
    terms = {
        "seller_address": settings.SELLER_ADDRESS,
        "seller_email": settings.SELLER_EMAIL,
        "can_withdraw": settings.WITHDRAWAL_FORM,
        "withdrawal_url": site_url(reverse("orders:withdrawal")) if settings.WITHDRAWAL_FORM else "",
    }
    _enqueue(order, "order-confirmation", key, "orders/email/confirmation", lines=lines, **terms)


def invoice(order: Order, paper: Invoice) -> None:
    """Send what `invoice.issue` wrote in the same transaction, with its PDF."""
    _enqueue(
        order,
        "invoice",
        f"{INVOICE_KEY}:{order.pk}",
        "orders/email/invoice",
        attachment=f"invoice:{paper.pk}",
        invoice=paper,
        downloads=_downloads(order),
    )


def _downloads(order: Order) -> list[tuple[str, str]]:
    """Return names and addresses of the files that were bought."""
    if not any(line.is_digital for line in order.lines.all()):
        return []
    lines = order.lines.exclude(product__download="").values_list("pk", "name")
    return [(name, site_url(reverse("orders:order_download", args=[order.token, pk]))) for pk, name in lines]


def sent(order: Order) -> None:
    """Tell the buyer that the goods left, with what is needed to follow them."""
    _enqueue(order, "order-sent", f"{SENT_KEY}:{order.pk}", "orders/email/sent")


def refunded(order: Order, amount: Decimal, *, note: Invoice | None = None, reference: str = "") -> None:
    """Tell the buyer that `amount` is on its way back; `reference` or the credit note tells refunds apart."""
    _enqueue(
        order,
        "refund",
        f"refund-mail:{order.pk}:{reference or (note and note.pk) or amount}",
        "orders/email/refund",
        attachment=f"invoice:{note.pk}" if note else "",
        amount=amount,
        note=note,
    )


def withdrawal_receipt(withdrawal: Withdrawal, last_day: date | None) -> None:
    """Say to whoever withdrew that it has arrived, and what it says."""
    _withdrawal(withdrawal, "receipt", withdrawal.email, last_day)


def withdrawal_notice(withdrawal: Withdrawal, last_day: date | None) -> None:
    """Tell staff; what they answer goes to the buyer."""
    url = site_url(reverse("admin:orders_withdrawal_change", args=[withdrawal.pk]))
    _withdrawal(withdrawal, "notice", settings.STAFF_EMAIL, last_day, reply_to=withdrawal.email, url=url)


def _withdrawal(
    withdrawal: Withdrawal, what: str, to: str, last_day: date | None, *, reply_to: str = "", **context: Any
) -> None:
    outbox.enqueue(
        kind=f"withdrawal-{what}",
        dedup_key=f"withdrawal-{what}:{withdrawal.pk}",
        to=to,
        template=f"orders/email/withdrawal_{what}",
        context={"withdrawal": withdrawal, "seller": settings.SELLER_NAME, "last_day": last_day, **context},
        reply_to=reply_to,
    )


def _enqueue(order: Order, kind: str, key: str, template: str, attachment: str = "", **context: Any) -> None:
    url = site_url(order.get_absolute_url())
    outbox.enqueue(
        kind=kind,
        dedup_key=key,
        to=order.email,
        template=template,
        # One query for the lines, which both halves of the mail go through.
        context={"order": order, "lines": order.lines.all(), "url": url, "seller": settings.SELLER_NAME, **context},
        attachment=attachment,
    )


def again(order: Order, key: str, *, actor: User) -> bool:
    """Send a copy of a mail of the order once more; False when it was never written."""
    mail = OutgoingMail.objects.filter(dedup_key=f"{key}:{order.pk}").first()
    if mail is None:
        return False
    with transaction.atomic():
        outbox.send_again(mail)
        order.remember(_("Sent again: %(subject)s") % {"subject": mail.subject}, actor=actor)
    return True
