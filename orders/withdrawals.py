"""Receiving a buyer's withdrawal: stored once, confirmed by mail at once, told to the staff."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from mail import outbox
from mail.links import site_url

from .models import Order, Withdrawal


def receive(*, key: str, name: str, email: str, order_number: str, note: str) -> Withdrawal:
    """Store the statement and write the receipt the law asks for; the same `key` again changes nothing."""
    with transaction.atomic():
        withdrawal, is_new = Withdrawal.objects.get_or_create(
            key=key,
            defaults={
                "order": _order(order_number, email),
                "name": name,
                "email": email,
                "order_number": order_number,
                "note": note,
            },
        )
        if is_new:
            _tell(withdrawal)
    return withdrawal


def _order(order_number: str, email: str) -> Order | None:
    digits = order_number.strip().removeprefix("#")
    if not (digits.isdecimal() and len(digits) < 19):
        return None
    return Order.objects.filter(pk=digits, email__iexact=email).first()


def _tell(withdrawal: Withdrawal) -> None:
    context: dict[str, Any] = {"withdrawal": withdrawal, "seller": settings.SELLER_NAME}
    outbox.enqueue(
        kind="withdrawal-receipt",
        dedup_key=f"withdrawal-receipt:{withdrawal.pk}",
        to=withdrawal.email,
        template="orders/email/withdrawal_receipt",
        context=context,
    )
    outbox.enqueue(
        kind="withdrawal-notice",
        dedup_key=f"withdrawal-notice:{withdrawal.pk}",
        to=settings.STAFF_EMAIL,
        template="orders/email/withdrawal_notice",
        context=context | {"url": site_url(reverse("admin:orders_withdrawal_change", args=[withdrawal.pk]))},
        reply_to=withdrawal.email,
    )
    if withdrawal.order:
        withdrawal.order.remember(_("The buyer declared their withdrawal."))
