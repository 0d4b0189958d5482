"""
Money that goes back: asked for by staff, by ourselves, or learnt from Stripe's dashboard.

The row comes first and reserves its amount under the order's lock, then Stripe is asked with the row's key, then the
row is settled; whatever dies in between, the sweeper goes on from the row.
"""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from account.models import User
from core.jobs.background import delay_on_commit
from orders import invoice, returns, stock
from orders import mails as order_mails
from orders.models import Order
from orders.returns import Things
from shop.charges import from_stripe
from shop.money import money

from . import disputes, gateway, mails, problems
from .models import CREDITED, Payment, Problem, Refund

logger = logging.getLogger(__name__)

MAX_TRIES = 5
HELD = timedelta(seconds=40)  # as long as Stripe may take; after that whoever asked was killed
PAUSE = timedelta(minutes=2)  # when Stripe is away


class TooMuch(Exception):
    """More than is left of the payment. `left` is in minor units."""

    def __init__(self, left: int) -> None:
        self.left = left
        super().__init__(f"only {left} left")


def request(
    payment: Payment,
    *,
    amount: int,
    key: str,
    reason: str,
    actor: User | None = None,
    restocks: bool = False,
    things: Things | None = None,
) -> Refund:
    """
    Write down that `amount` (minor units) is to go back, and see to it soon. The same `key` again returns the first.

    `things` are what it is paid for, if not just an amount. Raises TooMuch. The sum, and that the things have not gone
    back before, is checked under the order's lock.
    """

    with transaction.atomic():
        _lock(payment)
        if found := Refund.objects.filter(idempotency_key=key).first():
            return found
        if not 0 < amount <= payment.refundable():
            raise TooMuch(payment.refundable())
        refund = Refund.objects.create(
            payment=payment,
            amount=amount,
            idempotency_key=key,
            reason=reason[:300],
            actor=actor,
            restocks=restocks,
            things=_kept(payment, things) if things else None,
        )
        delay_on_commit("payment.tasks.send_refund", refund.pk)
    return refund


def _kept(payment: Payment, things: Things) -> dict[str, Any]:
    before = payment.things_back()
    if not returns.are_there(payment.order, things, before=before):
        raise TooMuch(payment.refundable())
    worth = returns.worth(payment.order, things, before=before)
    return things.as_json() | {"worth": {str(rate): str(gross) for rate, gross in worth.items()}}


def _lock(payment: Payment) -> Order:
    """Keep everybody else from counting what is left of the payment until the transaction ends."""
    return Order.objects.select_for_update().get(pk=payment.order_id)


def give_back(payment: Payment, *, reason: str) -> Refund:
    """Return the whole of a payment that could not be accepted; once, however often it is called."""
    return request(payment, amount=payment.amount, key=f"back-{payment.payment_intent}", reason=reason)


def send(refund_id: int) -> None:
    """Ask Stripe for a refund that is still requested. Talks to Stripe: never call it inside a transaction."""
    due = Refund.objects.filter(pk=refund_id, status=Refund.Status.REQUESTED)
    if not due.update(attempts=F("attempts") + 1, due_at=timezone.now() + HELD):
        return
    refund = Refund.objects.select_related("payment__order").get(pk=refund_id)
    try:
        _send(refund)
    except gateway.Unavailable as error:
        Refund.objects.filter(pk=refund.pk).update(
            error=str(error),
            due_at=timezone.now() + PAUSE,
            broken=F("broken") + int(isinstance(error, gateway.Broken)),
        )
        if refund.attempts >= MAX_TRIES:
            text = _("A refund could not be sent for some time: %(error)s It is tried again.")
            problems.report(f"refund-late-{refund.pk}", text % {"error": error}, order=refund.payment.order)


def _send(refund: Refund) -> None:
    try:
        answer = _ask(refund)
    except gateway.Missing as error:
        _fail(refund, str(error))
    except gateway.Refused as error:
        _stand_as_stripe_does(refund, error)
    else:
        _apply(refund, answer)


def _stand_as_stripe_does(refund: Refund, error: gateway.Refused) -> None:
    """
    Stripe said no, so its books may have moved on without us: look there, write down what is there, then tell staff.

    Telling them to pay in another way what the dashboard or the buyer's bank has taken already would pay it twice.
    """
    payment = refund.payment
    theirs = gateway.refunds_of(payment.payment_intent)
    if ours := next((found for found in theirs if found.reference == refund.idempotency_key), None):
        _apply(refund, ours)
        return
    disputes.learn(payment.payment_intent)
    with transaction.atomic():
        order = _lock(payment)
        failing = Refund.objects.filter(pk=refund.pk, status=Refund.Status.REQUESTED)
        if not failing.update(status=Refund.Status.FAILED, error=str(error)):
            return
        before = payment.refundable()
        for found in theirs:
            _apply(_row_of(payment, found), found)
        payment.refresh_from_db()
        if payment.refunded() == payment.amount:
            _restock(order, refund)
        problems.report(f"refund-failed-{refund.pk}", _why_not(refund, before, error), order=order)


def _why_not(refund: Refund, before: int, error: gateway.Refused) -> str:
    payment, left = refund.payment, refund.payment.refundable()
    values = _in_words(refund, str(error))
    if payment.is_disputed:
        return (
            _(
                "A refund of %(amount)s was not made, because the buyer's bank has asked for the money: %(why)s Answer the "
                "dispute in Stripe's dashboard. To pay in another way would pay twice."
            )
            % values
        )
    if left >= before:
        return _("A refund of %(amount)s failed: %(why)s Please pay it back in another way.") % values
    gone, rest = (money(from_stripe(units, payment.currency), payment.currency) for units in (before - left, left))
    text = _("A refund of %(amount)s was not made: %(gone)s went back already in Stripe's dashboard, now noted here.")
    remainder = _("%(rest)s are left to refund.") if left else _("Nothing is left to refund.")
    return f"{text} {remainder}" % {**values, "gone": gone, "rest": rest}


def _ask(refund: Refund) -> gateway.StripeRefund:
    intent, key = refund.payment.payment_intent, refund.idempotency_key
    if refund.attempts > 1:
        # Whether Stripe acted before the answer was lost is not known, and it forgets a key after a day: look first.
        for done in gateway.refunds_of(intent):
            if done.reference == key:
                return done
    again = f"-{refund.broken}" if refund.broken else ""  # it repeats a 5xx for the same key
    return gateway.create_refund(intent, amount=refund.amount, key=f"{key}{again}", reference=key)


def learn(payment_intent: str) -> None:
    """Bring our refunds of a payment in line with Stripe's, whoever made them."""
    payment = Payment.objects.select_related("order").filter(payment_intent=payment_intent).first()
    if payment is None:
        return
    for found in gateway.refunds_of(payment_intent):
        _apply(_row_of(payment, found), found)


def _row_of(payment: Payment, found: gateway.StripeRefund) -> Refund:
    ours = payment.refunds.filter(stripe_refund_id=found.id).first()
    if ours is None and found.reference:
        ours = payment.refunds.filter(idempotency_key=found.reference).first()
    if ours is None:
        # Made in Stripe's dashboard. It happened, so it is written down even if it were more than we thought is left.
        ours, _new = Refund.objects.get_or_create(
            idempotency_key=f"stripe-{found.id}",
            defaults={"payment": payment, "amount": found.amount, "reason": _("Refunded in Stripe's dashboard.")},
        )
    return ours


def _apply(refund: Refund, answer: gateway.StripeRefund) -> None:
    Refund.objects.filter(pk=refund.pk, stripe_refund_id="").update(stripe_refund_id=answer.id)
    if answer.status in ("failed", "canceled"):
        _fail(refund, _("The buyer's bank sent the money back."))
    else:
        _succeed(refund)


def _succeed(refund: Refund) -> None:
    with transaction.atomic():
        order = _lock(refund.payment)
        if not _is_first(refund):
            return
        if refund.payment.is_accepted:
            _reduce(order, refund)
        else:
            # A second payment that goes back leaves the order that the first one paid as it is.
            if order.status != Order.Status.REFUND_DUE or not order.move(Order.Status.REFUNDED, note=refund.reason):
                order.remember(refund.reason)
            order_mails.refunded(order, refund.total, reference=refund.idempotency_key)


def _is_first(refund: Refund) -> bool:
    waiting = Refund.objects.filter(pk=refund.pk, status=Refund.Status.REQUESTED)
    return bool(waiting.update(status=Refund.Status.SUCCEEDED, error=""))


def _reduce(order: Order, refund: Refund) -> None:
    """Part or all of a paid order went back: status, credit note, mail, and the goods if staff said so."""
    given = refund.payment.refunds.filter(status__in=CREDITED).aggregate(sum=Sum("amount"))["sum"]
    whole = given >= refund.payment.amount
    to = Order.Status.REFUNDED if whole else Order.Status.PARTIALLY_REFUNDED
    if not order.move(to, actor=refund.actor, note=refund.reason):
        order.remember(refund.reason, actor=refund.actor)
    note = invoice.credit(order, refund.total, refund.reason, reference=refund.idempotency_key, wanted=refund.worth)
    order_mails.refunded(order, refund.total, note=note)
    _restock(order, refund)


def _restock(order: Order, refund: Refund) -> None:
    """Put what the refund was for back on the shelf, if staff said so."""
    if refund.restocks and refund.things:
        stock.put_back(order, Things.from_json(refund.things).pieces)
    elif refund.restocks:
        stock.release(order)


def _fail(refund: Refund, why: str) -> None:
    """Note a refund that did not happen, or, when we had counted it as done, that it is owed again."""
    with transaction.atomic():
        order = _lock(refund.payment)
        row = Refund.objects.filter(pk=refund.pk)
        if row.filter(status=Refund.Status.REQUESTED).update(status=Refund.Status.FAILED, error=why):
            text = _("A refund of %(amount)s failed: %(why)s Please pay it back in another way.")
            problems.report(f"refund-failed-{refund.pk}", text % _in_words(refund, why), order=order)
        elif row.filter(status=Refund.Status.SUCCEEDED).update(status=Refund.Status.RETURNED, error=why):
            _owe(order, refund, why)


def _owe(order: Order, refund: Refund, why: str) -> None:
    """
    The money came back after the credit note was written. The note stays, for the buyer still has a right to it; what
    is open is only the way it is paid, which staff and buyer agree on.
    """
    Order.objects.filter(pk=order.pk).update(is_refund_owed=True)
    text = _("A refund of %(amount)s came back: %(why)s Pay it in another way and mark it as paid on the refund page.")
    problems.report(_returned_key(refund), text % _in_words(refund, why), order=order)
    mails.refund(order, refund, "returned")


def pay_otherwise(refund: Refund, *, how: str, actor: User) -> bool:
    """Note that a refund that came back was paid in another way; False when it was not, or is settled already."""
    with transaction.atomic():
        order = _lock(refund.payment)
        owed = Refund.objects.filter(status=Refund.Status.RETURNED, settled_at=None, payment__order=order)
        if not owed.filter(pk=refund.pk).update(settled_at=timezone.now(), settled_how=how):
            return False
        if not owed.exists():
            Order.objects.filter(pk=order.pk).update(is_refund_owed=False)
        Problem.objects.filter(key=_returned_key(refund), resolved_at=None).update(resolved_at=timezone.now())
        values = {"amount": money(refund.total, refund.payment.currency), "how": how}
        order.remember(_("%(amount)s paid back in another way: %(how)s") % values, actor=actor)
        refund.settled_how = how
        mails.refund(order, refund, "settled")
    return True


def _returned_key(refund: Refund) -> str:
    return f"refund-returned-{refund.pk}"


def _in_words(refund: Refund, why: str) -> dict[str, str]:
    return {"amount": money(refund.total, refund.payment.currency), "why": why}
