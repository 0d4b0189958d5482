"""
The one way an order becomes paid.

fulfil() asks Stripe where the session stands, so neither the order nor the number of the events that led here matters;
then one transaction locks the order, compares, and does what follows. The webhook, the return page and the sweeper all
call it, possibly at once: the payment intent is unique and `order.move` lets one of them win.
"""

import logging
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from cart.coupons import CouponRefused
from mail.addresses import mark_proven
from orders import invoice, stock
from orders import mails as order_mails
from orders.models import Order
from shop import recommender
from shop.charges import to_stripe

from . import disputes, gateway, mails, problems, refunds
from .gateway import Session, State
from .models import CheckoutAttempt, Payment

logger = logging.getLogger(__name__)

LAPSED = (Order.Status.EXPIRED, Order.Status.CANCELLED)
WHY_IT_ENDED = {
    "": _l("Nobody paid in time."),
    Order.UndoneBy.BUYER: _l("The buyer had undone it."),
    Order.UndoneBy.STAFF: _l("Staff had cancelled it."),
}
CAME_TOO_LATE = {
    "": _l("Your payment came after the order had lapsed, and %(gone)s."),
    Order.UndoneBy.BUYER: _l("Your payment came after you had undone the order, and %(gone)s."),
    Order.UndoneBy.STAFF: _l("Your payment came after we had cancelled the order, and %(gone)s."),
}


def fulfil(session_id: str, *, event_id: str = "") -> Order | None:
    """Bring the order in line with its session, and return it; safe to call any number of times, also at once."""
    return settle(gateway.get_session(session_id), event_id=event_id)


def settle(session: Session, *, event_id: str = "") -> Order | None:
    """Act on a session just fetched from Stripe. Opens its own transaction, which must be the outermost."""
    with transaction.atomic(durable=True):
        order = _locked_order(session)
        if order is not None:
            ACTS[session.state](order, session, event_id)
            if session.state == State.PAID:
                disputes.meet(session.payment_intent)
    return order


def pay_nothing(order: Order) -> bool:
    """Pay an order that costs nothing, by the same path and without Stripe; False when it is not payable."""
    nothing = Session(
        id="",
        url="",
        state=State.PAID,
        amount=0,
        currency=order.currency,
        livemode=gateway.is_live(),
        order_id=str(order.pk),
        attempt_key="",
        payment_intent=f"free-{order.pk}",
    )
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update().get(pk=order.pk)
        if order.total != 0 or order.status != Order.Status.AWAITING_PAYMENT:
            return False
        _accept(order, nothing, "")
    return True


def _locked_order(session: Session) -> Order | None:
    """Return the order the session was opened for, locked; None, and staff told, when the two do not belong together."""
    attempt = _attempt(session)
    if attempt is not None and session.order_id == str(attempt.order_id):
        return attempt.order
    if not attempt and not session.attempt_key:
        logger.info("%s is another program's on the same Stripe account", session.id)
    elif session.state in (State.PAID, State.PROCESSING):
        text = _("Stripe's session %(id)s names order “%(order)s”, which it was not opened for. Nothing was done.")
        problems.report(f"order-{session.id}", text % {"id": session.id, "order": session.order_id})
    return None


def _attempt(session: Session) -> CheckoutAttempt | None:
    """Find the attempt and lock its order, also when the webhook is quicker than the answer that tells us the session's id."""
    found = CheckoutAttempt.objects.select_related("order").select_for_update(of=("order",))
    by_key = found.filter(idempotency_key=session.attempt_key or session.id)
    # Two sessions of one attempt: the one it knows comes first.
    attempt = found.filter(session_id=session.id).first() or by_key.first()
    if attempt is not None and not attempt.session_id:
        CheckoutAttempt.objects.filter(pk=attempt.pk, session_id=None).update(session_id=session.id, url=session.url)
    return attempt


def _close_attempt(session: Session, status: str) -> None:
    CheckoutAttempt.objects.filter(session_id=session.id, status=CheckoutAttempt.Status.OPEN).update(status=status)


# --- What follows from each state -----------------------------------------------------------------------------------


def _wait(order: Order, session: Session, event_id: str) -> None:
    """Nothing: the buyer may still pay."""


def _expire(order: Order, session: Session, event_id: str) -> None:
    """Close the attempt; the order lapses with it, unless the session was ended early to make room for another."""
    _close_attempt(session, CheckoutAttempt.Status.EXPIRED)
    ran_out = CheckoutAttempt.objects.filter(session_id=session.id, expires_at__lte=timezone.now()).exists()
    is_last = not order.attempts.filter(status=CheckoutAttempt.Status.OPEN).exists()
    if is_last and (ran_out or order.expires_at <= timezone.now()):
        lapse(order, event_id=event_id)


def lapse(order: Order, *, event_id: str = "") -> bool:
    """Let an unpaid order go and give its stock back; call it only when no session of it can be paid any more."""
    with transaction.atomic():
        if not order.move(Order.Status.EXPIRED, note=WHY_IT_ENDED[order.undone_by], stripe_event=event_id):
            return False
        stock.release(order)
    return True


def _begin_processing(order: Order, session: Session, event_id: str) -> None:
    """The buyer chose a method that takes days. The stock stays held; no invoice yet."""
    _close_attempt(session, CheckoutAttempt.Status.COMPLETE)
    if not _differences(order, session):
        order.move(Order.Status.PROCESSING, note=_("The payment is on its way."), stripe_event=event_id)


def _give_up(order: Order, session: Session, event_id: str) -> None:
    """The bank refused in the end."""
    _close_attempt(session, CheckoutAttempt.Status.COMPLETE)
    if order.move(Order.Status.CANCELLED, note=_("The bank refused the payment."), stripe_event=event_id):
        stock.release(order)
        mails.failed(order)


def _accept(order: Order, session: Session, event_id: str) -> None:
    """Money arrived. Take it for the order if it is the right money for an order that can be filled; else return it."""
    _close_attempt(session, CheckoutAttempt.Status.COMPLETE)
    if not _is_news(session):
        return
    if wrong := _differences(order, session):
        _keep(order, session, is_accepted=False)
        text = _("A payment came in that is not what was agreed (%(what)s). The order was not marked as paid.")
        problems.report(f"mismatch-{session.id}", text % {"what": ", ".join(wrong)}, order=order)
    elif order.status in LAPSED and (gone := _gone_meanwhile(order)):
        payment = _keep(order, session, is_accepted=False)
        order.move(Order.Status.REFUND_DUE, note=_("Paid too late; %(gone)s.") % {"gone": gone}, stripe_event=event_id)
        reason = CAME_TOO_LATE[order.undone_by] % {"gone": gone}
        refunds.give_back(payment, reason=reason)
    elif order.move(Order.Status.PAID, stripe_event=event_id):
        _keep(order, session, is_accepted=True)
        _celebrate(order)
    else:
        payment = _keep(order, session, is_accepted=False)
        order.remember(_("Paid a second time; the second payment goes back."), stripe_event=event_id)
        refunds.give_back(payment, reason=_("Your order was paid twice; this is the second payment."))


def _gone_meanwhile(order: Order) -> str:
    """Take again what a lapsed order let go of; return what others have taken since, or nothing when it has it all."""
    try:
        stock.retake(order)
    except stock.Short:
        return _("the goods are gone")
    except CouponRefused:
        return _("its coupon is used up")
    return ""


def _is_news(session: Session) -> bool:
    """Return whether this payment has not been dealt with yet; the order's lock makes the answer hold."""
    return not Payment.objects.filter(payment_intent=session.payment_intent).exists()


def _differences(order: Order, session: Session) -> list[str]:
    """Name what is other than agreed, in words for staff."""
    agreed: dict[str, tuple[Any, Any]] = {
        _("amount"): (to_stripe(order.total, order.currency), session.amount),
        _("currency"): (order.currency.upper(), session.currency.upper()),
        _("test or live mode"): (gateway.is_live(), session.livemode),
    }
    return [f"{name}: {ours} ≠ {theirs}" for name, (ours, theirs) in agreed.items() if ours != theirs]


def _keep(order: Order, session: Session, *, is_accepted: bool) -> Payment:
    return Payment.objects.create(
        order=order,
        payment_intent=session.payment_intent,
        session_id=session.id,
        amount=session.amount,
        currency=session.currency,
        is_accepted=is_accepted,
    )


def _celebrate(order: Order) -> None:
    """What a paid order causes, in the transaction that makes it paid."""
    prefetch_related_objects([order], "lines")  # once for the invoice, both halves of the mail and what was bought
    order_mails.invoice(order, invoice.issue(order))
    mark_proven(order.email)
    recommender.record(order.pk, [line.product_id for line in order.lines.all()])


ACTS = {
    State.OPEN: _wait,
    State.EXPIRED: _expire,
    State.PROCESSING: _begin_processing,
    State.FAILED: _give_up,
    State.PAID: _accept,
}
