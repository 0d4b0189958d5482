"""Finds what the world forgot: every row that waits for something is looked at again. All of it is safe to repeat."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from orders import invoice, mails
from orders.models import Invoice, Order

from . import audit, gateway, problems, refunds, webhooks
from .attempts import let_go, look, retire
from .fulfil import settle
from .models import CheckoutAttempt, Payment, Refund, WebhookEvent

logger = logging.getLogger(__name__)

BATCH = 200
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
    _each(refunds.send, due_refunds())
    _each(ask, open_attempts())
    _each(let_go, lapsed_orders())
    _each(complete, payments_without_invoice())


def _each(act: Callable[[Any], object], rows: Iterable[Any]) -> None:
    for row in rows:
        try:
            act(row)
        except gateway.Unavailable as error:
            # Stripe is away: asking for the next row too would only take longer.
            logger.warning("%s stops: Stripe is away: %s", act.__name__, error)
            return
        except Exception:
            logger.exception("%s(%s) failed", act.__name__, row)


def due_events() -> Iterable[str]:
    due = WebhookEvent.objects.filter(status=WebhookEvent.Status.RECEIVED, due_at__lte=timezone.now())
    return list(due.order_by("id").values_list("event_id", flat=True)[:BATCH])


def process_event(event_id: str) -> None:
    webhooks.process(event_id)


def due_refunds() -> Iterable[int]:
    due = Refund.objects.filter(status=Refund.Status.REQUESTED, due_at__lte=timezone.now())
    return list(due.order_by("id").values_list("pk", flat=True)[:BATCH])


def open_attempts() -> Iterable[CheckoutAttempt]:
    """Attempts that Stripe should be asked about, the longest unasked first."""
    now = timezone.now()
    is_open = Q(status=CheckoutAttempt.Status.OPEN, created_at__lt=now - YOUNG)
    is_slow = Q(status=CheckoutAttempt.Status.COMPLETE, order__status=Order.Status.PROCESSING, asked_at__lt=now - SLOW)
    is_unasked = Q(status=CheckoutAttempt.Status.COMPLETE, order__status=Order.Status.PROCESSING, asked_at=None)
    waiting = CheckoutAttempt.objects.select_related("order").exclude(session_id=None)
    waiting = waiting.filter(is_open | is_slow | is_unasked)
    return list(waiting.order_by(F("asked_at").asc(nulls_first=True), "id")[:BATCH])


def ask(attempt: CheckoutAttempt) -> None:
    session = look(attempt)
    if session and session.state == gateway.State.OPEN and attempt.order.status != Order.Status.AWAITING_PAYMENT:
        retire(attempt)  # the order was ended by staff, so nobody shall pay it any more
    elif session:
        settle(session)
    CheckoutAttempt.objects.filter(pk=attempt.pk).update(asked_at=timezone.now())


def lapsed_orders() -> Iterable[Order]:
    return list(
        Order.objects.filter(status=Order.Status.AWAITING_PAYMENT, expires_at__lte=timezone.now()).order_by("id")[
            :BATCH
        ]
    )


def payments_without_invoice() -> Iterable[Payment]:
    """None, as long as both are written in one transaction; a restored backup or a hand in the database may differ."""
    numbered = Invoice.objects.filter(kind=Invoice.Kind.INVOICE).values("order")
    recent = timezone.now() - timedelta(days=30)
    return list(
        Payment.objects.accepted()
        .filter(created_at__gt=recent)
        .exclude(order__in=numbered)
        .select_related("order")
        .order_by("id")[:BATCH]
    )


def complete(payment: Payment) -> None:
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=payment.order_id)
        invoice.issue(order)
        mails.invoice(order)


def reconcile() -> None:
    """Compare with Stripe's books once a day has passed, each attempt once, and tell staff what differs."""
    if not gateway.is_configured():
        return
    old = CheckoutAttempt.objects.filter(reconciled_at=None, created_at__lt=timezone.now() - RIPE)
    _each(reconcile_one, list(old.exclude(session_id=None).order_by("id")[:BATCH]))


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
    return sum(webhooks.receive(event) for event in events if event.livemode == gateway.is_live())


def forget() -> None:
    """Drop the buyers' addresses that events and calls hold, once nothing can need them; the order keeps its own."""
    before = timezone.now() - KEPT
    settled = [WebhookEvent.Status.DONE, WebhookEvent.Status.IGNORED]
    WebhookEvent.objects.filter(received_at__lt=before, status__in=settled).delete()
    old = CheckoutAttempt.objects.filter(created_at__lt=before).exclude(status=CheckoutAttempt.Status.OPEN)
    old.exclude(params={}).update(params={})
