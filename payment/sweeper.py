"""Finds what the world forgot: every row that waits for something is looked at again. All of it is safe to repeat."""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from orders import invoice, mails
from orders.models import Invoice, Order

from . import audit, disputes, gateway, problems, refunds, webhooks
from .attempts import let_go, look, retire
from .fulfil import settle
from .models import CheckoutAttempt, Dispute, Payment, Refund, WebhookEvent

logger = logging.getLogger(__name__)

BATCH = 200
# So many rows in a row that Stripe gives no answer about mean that it is away; one or two may be odd themselves.
MOST_UNANSWERED = 3
# Give the webhook a moment before asking Stripe ourselves.
YOUNG = timedelta(seconds=30)
SLOW = timedelta(hours=1)
RIPE = timedelta(days=1)
CATCH_UP = timedelta(hours=2)
# Stripe sends an event again for three days and lists it for thirty; after that nobody asks for it any more.
KEPT = timedelta(days=60)


def sweep() -> None:
    """Do everything that is due; one thing that fails does not keep the others waiting."""
    if not gateway.is_configured():
        return
    _each(process_event, due_events())
    _each(send_refund, due_refunds())
    _each(ask, open_attempts())
    _each(let_go, lapsed_orders())
    _each(complete, payments_without_invoice())
    _each(apply_dispute, _all_of(disputes.waiting()))


def _each(act: Callable[[Any], object], rows: Iterable[Any]) -> None:
    """Let every row have its turn, whatever becomes of the others, unless Stripe answers nothing at all any more."""
    unanswered = 0
    for row in rows:
        try:
            act(row)
            unanswered = 0
        except gateway.Unavailable as error:
            logger.warning("%s(%s) is left for later: %s", act.__name__, row, error)
            unanswered += 1
            if unanswered == MOST_UNANSWERED:
                logger.warning("%s stops: Stripe is away", act.__name__)
                return
        except Exception:
            logger.exception("%s(%s) failed", act.__name__, row)


def _all_of(due: QuerySet[Any]) -> Iterator[Any]:
    """Yield every row that is due, a batch at a time: however many there are, and whatever some of them do."""
    last = 0
    while batch := list(due.filter(pk__gt=last).order_by("pk")[:BATCH]):
        yield from batch
        last = batch[-1].pk


def due_events() -> Iterable[WebhookEvent]:
    due = WebhookEvent.objects.filter(status=WebhookEvent.Status.RECEIVED, due_at__lte=timezone.now())
    return _all_of(due.only("event_id", "kind"))


def process_event(event: WebhookEvent) -> None:
    webhooks.process(event.event_id)


def due_refunds() -> Iterable[Refund]:
    return _all_of(Refund.objects.filter(status=Refund.Status.REQUESTED, due_at__lte=timezone.now()))


def send_refund(refund: Refund) -> None:
    refunds.send(refund.pk)


def open_attempts() -> Iterable[CheckoutAttempt]:
    """
    Attempts that Stripe should be asked about, the longest unasked first.

    A sweep takes so many only, or one that is busy with them would keep the others waiting; as ask() notes that they
    had their turn also when it fails, the next sweep takes the next.
    """
    now = timezone.now()
    is_open = Q(status=CheckoutAttempt.Status.OPEN, created_at__lt=now - YOUNG)
    is_slow = Q(status=CheckoutAttempt.Status.COMPLETE, order__status=Order.Status.PROCESSING, asked_at__lt=now - SLOW)
    is_unasked = Q(status=CheckoutAttempt.Status.COMPLETE, order__status=Order.Status.PROCESSING, asked_at=None)
    waiting = CheckoutAttempt.objects.select_related("order").exclude(session_id=None)
    waiting = waiting.filter(is_open | is_slow | is_unasked)
    return list(waiting.order_by(F("asked_at").asc(nulls_first=True), "id")[:BATCH])


def ask(attempt: CheckoutAttempt) -> None:
    CheckoutAttempt.objects.filter(pk=attempt.pk).update(asked_at=timezone.now())
    session = look(attempt)
    if session and session.state == gateway.State.OPEN and attempt.order.status != Order.Status.AWAITING_PAYMENT:
        retire(attempt)  # the order was ended by staff, so nobody shall pay it any more
    elif session:
        settle(session)


def lapsed_orders() -> Iterable[Order]:
    return _all_of(Order.objects.filter(status=Order.Status.AWAITING_PAYMENT, expires_at__lte=timezone.now()))


def payments_without_invoice() -> Iterable[Payment]:
    """None, as long as both are written in one transaction; a restored backup or a hand in the database may differ."""
    numbered = Invoice.objects.filter(kind=Invoice.Kind.INVOICE).values("order")
    recent = timezone.now() - timedelta(days=30)
    return _all_of(Payment.objects.accepted().filter(created_at__gt=recent).exclude(order__in=numbered))


def complete(payment: Payment) -> None:
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=payment.order_id)
        mails.invoice(order, invoice.issue(order))


def apply_dispute(dispute: Dispute) -> None:
    """Its payment came in the very moment the dispute did, and neither saw the other."""
    disputes.meet(dispute.payment_intent)


def reconcile() -> None:
    """
    Compare with Stripe's books once a day has passed, each attempt once, and tell staff what differs.

    It goes on until nothing is due. Each attempt notes that it was compared, so one that is broken off goes on from there.
    """
    if not gateway.is_configured():
        return
    old = CheckoutAttempt.objects.filter(reconciled_at=None, created_at__lt=timezone.now() - RIPE)
    _each(reconcile_one, _all_of(old.exclude(session_id=None).select_related("order")))


def reconcile_one(attempt: CheckoutAttempt) -> None:
    for difference in audit.differences(attempt):
        problems.report(f"reconcile-{attempt.pk}-{difference}", difference, order=attempt.order)
    CheckoutAttempt.objects.filter(pk=attempt.pk).update(reconciled_at=timezone.now())


def catch_up() -> int:
    """Fetch the events of the last hours that no webhook brought; returns how many there were."""
    if not gateway.is_configured():
        return 0
    since = timezone.now() - CATCH_UP
    newest = WebhookEvent.objects.order_by("-happened_at").values_list("happened_at", flat=True).first()
    if newest is not None:
        # After a longer silence than usual go back to the last event heard; Stripe keeps them for 30 days.
        since = max(min(since, newest - timedelta(minutes=5)), timezone.now() - timedelta(days=29))
    events = gateway.events_since(int(since.timestamp()), list(webhooks.HANDLERS))
    return sum(_take(event) for event in events if event.livemode == gateway.is_live())


def _take(event: gateway.Event) -> bool:
    try:
        return webhooks.receive(event)
    except DatabaseError:
        logger.exception("Event %s cannot be stored", event.id)
        return False


def forget() -> None:
    """Drop the buyers' addresses that events and calls hold, once nothing can need them; the order keeps its own."""
    before = timezone.now() - KEPT
    settled = [WebhookEvent.Status.DONE, WebhookEvent.Status.IGNORED]
    WebhookEvent.objects.filter(received_at__lt=before, status__in=settled).delete()
    old = CheckoutAttempt.objects.filter(created_at__lt=before).exclude(status=CheckoutAttempt.Status.OPEN)
    old.exclude(params={}).update(params={})
