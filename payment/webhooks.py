"""What Stripe tells us: checked, stored, answered, and only then acted on. One short function per kind of event."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.jobs.background import delay_on_commit

from . import disputes, gateway, problems, refunds
from .fulfil import fulfil
from .models import Payment, WebhookEvent

logger = logging.getLogger(__name__)

MAX_BODY = 256_000
MAX_TRIES = 5
HELD = timedelta(seconds=40)  # longer than a handler takes; to act twice does no harm
Subject = dict[str, Any]


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """Answer 200 as soon as the event is stored: Stripe retries for days whatever gets another answer."""
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return HttpResponse("https only", status=403)
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:  # no server of ours passes on more than it says
        return HttpResponse("too large", status=413)
    try:
        event = gateway.verify(request.body, request.headers.get("Stripe-Signature", ""))
    except gateway.BadSignature as error:
        logger.warning("Webhook refused: %s", error)
        return HttpResponse("bad signature", status=400)
    if event.livemode != gateway.is_live():
        logger.error("Webhook refused: %s is of the other mode (live: %s)", event.id, event.livemode)
        return HttpResponse("wrong mode", status=400)
    receive(event)
    return HttpResponse("ok")


def receive(event: gateway.Event) -> bool:
    """Store an event and have it processed soon; False when it was here before."""

    if WebhookEvent.objects.filter(event_id=event.id).exists():
        return False
    row = WebhookEvent(
        event_id=event.id,
        kind=event.kind,
        livemode=event.livemode,
        payload=event.payload,
        happened_at=event.happened_at,
    )
    with transaction.atomic():
        # Two copies at once: the second insert is no error, and processing claims the row.
        WebhookEvent.objects.bulk_create([row], ignore_conflicts=True)
        delay_on_commit("payment.tasks.process_event", event.id)
    return True


def process(event_id: str) -> None:
    """Act on a stored event; whoever claims it first does, and a failure puts it back for a later try."""
    now = timezone.now()
    due = WebhookEvent.objects.filter(event_id=event_id, status=WebhookEvent.Status.RECEIVED, due_at__lte=now)
    if not due.update(attempts=F("attempts") + 1, due_at=now + HELD):
        return
    event = WebhookEvent.objects.get(event_id=event_id)
    handler = HANDLERS.get(event.kind)
    if handler is None:
        _close(event, WebhookEvent.Status.IGNORED)
        return
    try:
        handler(event.payload["data"]["object"], event.event_id)
    except Exception as error:  # whatever it is, the row remembers it and the sweeper tries again
        logger.exception("%s failed", event)
        _put_back(event, error)
    else:
        _close(event, WebhookEvent.Status.DONE)


def _close(event: WebhookEvent, status: str, error: str = "") -> None:
    WebhookEvent.objects.filter(pk=event.pk).update(status=status, error=error)


def _put_back(event: WebhookEvent, error: Exception) -> None:
    if event.attempts < MAX_TRIES:
        delay = timedelta(minutes=2**event.attempts)
        WebhookEvent.objects.filter(pk=event.pk).update(error=repr(error), due_at=timezone.now() + delay)
        return
    _close(event, WebhookEvent.Status.FAILED, repr(error))
    text = _("Stripe's event %(event)s could not be processed: %(error)s")
    problems.report(f"event-{event.event_id}", text % {"event": event, "error": repr(error)})


# --- Handlers: each asks Stripe how things stand now, so the order in which events arrive does not matter -----------


def session_changed(subject: Subject, event_id: str) -> None:
    fulfil(subject["id"], event_id=event_id)


def payment_changed(subject: Subject, event_id: str) -> None:
    session = gateway.session_of_payment(subject["id"])
    if session is not None:
        fulfil(session.id, event_id=event_id)


def refunds_changed(subject: Subject, event_id: str) -> None:
    intent = subject.get("payment_intent")
    if not intent:
        return
    _know_payment(intent, event_id)
    refunds.learn(intent)


def _know_payment(intent: str, event_id: str) -> None:
    """Ask for a payment that we have not heard of: what became of it may be quicker than the news of it."""
    if intent and not Payment.objects.filter(payment_intent=intent).exists():
        payment_changed({"id": intent}, event_id)


def dispute_changed(subject: Subject, event_id: str) -> None:
    dispute = gateway.get_dispute(subject["id"])
    _know_payment(dispute.payment_intent, event_id)
    disputes.note(dispute)


HANDLERS: dict[str, Callable[[Subject, str], None]] = {
    "checkout.session.completed": session_changed,
    "checkout.session.async_payment_succeeded": session_changed,
    "checkout.session.async_payment_failed": session_changed,
    "checkout.session.expired": session_changed,
    "payment_intent.succeeded": payment_changed,
    "charge.refunded": refunds_changed,
    "refund.created": refunds_changed,
    "refund.updated": refunds_changed,
    "refund.failed": refunds_changed,
    "charge.dispute.created": dispute_changed,
    "charge.dispute.updated": dispute_changed,
    "charge.dispute.closed": dispute_changed,
}
