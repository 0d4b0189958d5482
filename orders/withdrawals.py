"""Receiving a buyer's withdrawal: stored once, confirmed by mail at once, told to the staff."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.web.ratelimit import hit

from . import mails
from .models import Order, Withdrawal

PERIOD = timedelta(days=14)
# The law counts from the day the things arrive, which we do not know: a parcel is given this long.
ON_THE_WAY = timedelta(days=7)
# More is not mailed to one address: anybody may type it. What is stored and told to the staff has no such limit, or a
# stranger could use it up and keep the buyer from withdrawing.
RECEIPTS = "5/d"


def last_day(order: Order) -> date | None:
    """Return the last day to withdraw without a reason; None as long as the time has not begun."""
    if order.sent_at:
        return timezone.localdate(order.sent_at + ON_THE_WAY + PERIOD)
    # Nothing is sent of what is only downloaded; there the contract is what counts.
    if order.paid_at and all(line.is_digital for line in order.lines.all()):
        return timezone.localdate(order.paid_at + PERIOD)
    return None


def is_late(order: Order | None) -> bool:
    last = last_day(order) if order else None
    return last is not None and timezone.localdate() > last


def receive(*, key: str, name: str, email: str, order_number: str, note: str) -> Withdrawal:
    """Store the statement, tell the staff and write the receipt the law asks for; the same again changes nothing."""
    said = {"name": name, "email": email, "order_number": order_number, "note": note}
    waiting = Withdrawal.objects.filter(**said, handled_at=None).first()
    if waiting:
        return waiting
    order = _order(order_number, email)
    with transaction.atomic():
        withdrawal, is_new = Withdrawal.objects.get_or_create(
            key=key, defaults={"order": order, "is_late": is_late(order), **said}
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
    until = last_day(withdrawal.order) if withdrawal.order else None
    if _may_receipt(withdrawal):
        mails.withdrawal_receipt(withdrawal, until)
    mails.withdrawal_notice(withdrawal, until)
    if withdrawal.order:
        said = _("The buyer asks to withdraw after the time.") if withdrawal.is_late else _("The buyer has withdrawn.")
        withdrawal.order.remember(said)


def _may_receipt(withdrawal: Withdrawal) -> bool:
    """Count one receipt; those for an order that is the address's own are counted apart from a stranger's guesses."""
    who = f"order-{withdrawal.order.pk}" if withdrawal.order else withdrawal.email.lower()
    return hit("withdrawal-receipt", who, RECEIPTS)
