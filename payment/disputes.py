"""
What a buyer's bank asks back: learnt from Stripe, told to staff, and booked when the money is gone for good.

A dispute that comes before the news of its payment is kept, and applied when the payment is known. The goods stay where
they are: where that is, only a person knows.
"""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from orders.models import Order
from shop.money import money

from . import gateway, problems
from .models import CREDITED, Dispute, Payment, Refund


def learn(payment_intent: str) -> None:
    """Bring our disputes of a payment in line with Stripe's. Talks to Stripe: never call it inside a transaction."""
    for found in gateway.disputes_of(payment_intent):
        note(found)


def note(found: gateway.Dispute) -> None:
    """Write down how a dispute stands at Stripe, and act on it if that is news."""
    dispute, _new = Dispute.objects.get_or_create(
        dispute_id=found.id,
        defaults={
            "payment_intent": found.payment_intent,
            "amount": found.amount,
            "currency": found.currency,
            "reason": found.reason,
            "status": found.status,  # from the first: the sweep may find the row before we come to act on it
        },
    )
    payment = Payment.objects.filter(payment_intent=found.payment_intent).first()
    if payment is None:
        Dispute.objects.filter(pk=dispute.pk, payment=None).exclude(status__in=Dispute.CLOSED).update(
            status=found.status
        )
    else:
        _apply(dispute, payment, found.status)


def waiting() -> QuerySet[Dispute]:
    """Disputes whose payment has become known without them."""
    return Dispute.objects.filter(payment=None, payment_intent__in=Payment.objects.values("payment_intent"))


def meet(payment_intent: str) -> None:
    """Apply the disputes that came before this payment was known."""
    for dispute in Dispute.objects.filter(payment=None, payment_intent=payment_intent):
        _apply(dispute, Payment.objects.get(payment_intent=payment_intent), dispute.status)


def _apply(dispute: Dispute, payment: Payment, status: str) -> None:
    """Change the dispute's state once; one that is closed stays closed, also when an older answer comes late."""
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=payment.order_id)
        is_open_and_other = ~Q(status=status) & ~Q(status__in=Dispute.CLOSED)
        changing = Dispute.objects.filter(Q(payment=None) | is_open_and_other, pk=dispute.pk)
        if not changing.update(status=status, payment=payment):
            return
        Payment.objects.filter(pk=payment.pk).update(dispute_id=dispute.dispute_id, dispute_status=status)
        dispute.refresh_from_db()
        if status == Dispute.Status.LOST:
            _lose(order, payment, dispute)
        elif status in Dispute.CLOSED:
            _win(order, dispute)
        else:
            text = _(
                "The buyer disputes %(amount)s of order %(order)s (%(reason)s): %(status)s. Answer in Stripe's "
                "dashboard; do not refund it and do not send what has not left yet."
            )
            problems.report(_key(dispute), text % _in_words(order, dispute), order=order)


def _lose(order: Order, payment: Payment, dispute: Dispute) -> None:
    """The money is gone. The order says so once all of it is, and so does an unaccepted payment's, which was to go back."""
    if _all_is_gone(payment):
        to = Order.Status.CHARGED_BACK if payment.is_accepted else Order.Status.REFUNDED
        order.move(to, note=_("The buyer won the dispute."))
    problems.resolve(f"dispute-{dispute.dispute_id}-")
    text = _(
        "The buyer won the dispute over %(amount)s of order %(order)s (%(reason)s): the money is gone. The invoice "
        "stands until you decide otherwise, and what was sent stays where it is."
    )
    problems.report(_key(dispute), text % _in_words(order, dispute), order=order)


def _all_is_gone(payment: Payment) -> bool:
    given = sum(Refund.objects.filter(payment=payment, status__in=CREDITED).values_list("amount", flat=True))
    return given + payment.lost() >= payment.amount


def _win(order: Order, dispute: Dispute) -> None:
    """The money is ours again: nothing is left to do, so the problems of this dispute are settled with the news."""
    problems.resolve(f"dispute-{dispute.dispute_id}-")
    text = _("The dispute over %(amount)s of order %(order)s is over: %(status)s. The money stays with the shop.")
    problems.report(_key(dispute), text % _in_words(order, dispute), order=order, is_settled=True)


def _key(dispute: Dispute) -> str:
    return f"dispute-{dispute.dispute_id}-{dispute.status}"


def _in_words(order: Order, dispute: Dispute) -> dict[str, object]:
    return {
        "amount": money(dispute.total, dispute.currency),
        "order": order,
        "reason": dispute.reason,
        "status": dispute.get_status_display(),
    }
