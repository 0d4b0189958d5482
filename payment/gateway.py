"""
The only module that imports stripe. Everything else speaks of sessions, events and refunds in our own words.

The client is built from the settings when it is first needed and kept for as long as they stay the same.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

import stripe
from django.conf import settings

from .storable import storable

logger = logging.getLogger(__name__)

# Pinned: an SDK that brings another version fails a test, and a person reads the changelog.
API_VERSION = "2026-10-28.endive"
TIMEOUT = 10
CONNECT_TIMEOUT = 3
RETRIES = 2
MAX_AHEAD = 300  # seconds a signature's clock may be ahead of ours; the SDK looks back only

_deadline: ContextVar[float | None] = ContextVar("stripe_deadline", default=None)


class Unavailable(Exception):
    """Stripe could not be reached or was not well; the same call may be repeated later with the same key."""


class Broken(Unavailable):
    """Stripe answered 5xx and will give that answer again for this key; the next try needs another."""


class Refused(Exception):
    """Stripe understood and said no. `code` is its word for why."""

    def __init__(self, message: str, code: str = "") -> None:
        self.code = code
        super().__init__(message)


class Missing(Refused):
    """Stripe knows no such thing; perhaps the key is for another account or another mode."""


class BadSignature(Exception):
    """The webhook's body was not signed by Stripe, or not now, or is not an event."""


class State(StrEnum):
    """Where a session stands; the one answer that fulfil() acts on."""

    OPEN = "open"
    EXPIRED = "expired"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"


class Session(NamedTuple):
    id: str
    url: str
    state: State
    amount: int
    currency: str
    livemode: bool
    order_id: str
    attempt_key: str
    payment_intent: str


class Event(NamedTuple):
    id: str
    kind: str
    happened_at: datetime
    livemode: bool
    payload: dict[str, Any]


class StripeRefund(NamedTuple):
    id: str
    amount: int
    status: str
    reference: str


class Dispute(NamedTuple):
    id: str
    payment_intent: str
    status: str
    reason: str
    amount: int
    currency: str


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let all calls made inside take no longer than this together: a page must not keep its thread for three tries."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


# --- Sessions -------------------------------------------------------------------------------------------------------


def create_session(params: dict[str, Any], *, key: str) -> Session:
    """Open a Checkout Session, or find the one that the same key and parameters opened before."""
    with _our_errors():
        return _session(
            _client().v1.checkout.sessions.create(params, {"idempotency_key": key})  # type: ignore[arg-type]
        )


def get_session(session_id: str) -> Session:
    with _our_errors():
        return _session(_client().v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent"]}))


def expire_session(session_id: str) -> Session:
    """End a session so that nobody can pay it any more; one that is complete or expired already comes back as it is."""
    try:
        with _our_errors():
            return _session(_client().v1.checkout.sessions.expire(session_id))
    except Refused:
        return get_session(session_id)


def session_of_payment(payment_intent: str) -> Session | None:
    with _our_errors():
        found = _client().v1.checkout.sessions.list({"payment_intent": payment_intent, "limit": 1}).data
    return get_session(found[0].id) if found else None


def ensure_coupon(coupon_id: str, *, amount: int, currency: str, name: str) -> None:
    """Make the coupon that takes `amount` off one order; there already is as good as made."""
    try:
        with _our_errors():
            _client().v1.coupons.create(
                {"id": coupon_id, "amount_off": amount, "currency": currency, "duration": "once", "name": name[:40]}
            )
    except Refused as error:
        if error.code != "resource_already_exists":
            raise


def _session(found: stripe.checkout.Session) -> Session:
    intent = found.payment_intent
    return Session(
        id=found.id,
        url=found.url or "",
        state=_state(found),
        amount=found.amount_total or 0,
        currency=(found.currency or "").upper(),
        livemode=found.livemode,
        order_id=_metadata(found, "order"),
        attempt_key=_metadata(found, "attempt"),
        payment_intent=(intent if isinstance(intent, str) else intent.id) if intent else "",
    )


def _state(found: stripe.checkout.Session) -> State:
    if found.status == "open":
        return State.OPEN
    if found.status == "expired":
        return State.EXPIRED
    if found.payment_status in ("paid", "no_payment_required"):
        return State.PAID
    # Complete but unpaid: a bank payment that is on its way, or was refused. Only the intent tells which.
    intent = found.payment_intent
    if isinstance(intent, stripe.PaymentIntent) and intent.status in ("requires_payment_method", "canceled"):
        return State.FAILED
    return State.PROCESSING


# --- Refunds and disputes -------------------------------------------------------------------------------------------


def create_refund(payment_intent: str, *, amount: int, key: str, reference: str) -> StripeRefund:
    """Give `amount` minor units back; `reference` is kept with the refund at Stripe, to know it again by."""
    with _our_errors():
        return _refund(
            _client().v1.refunds.create(
                {"payment_intent": payment_intent, "amount": amount, "metadata": {"refund": reference}},
                {"idempotency_key": key},
            )
        )


def refunds_of(payment_intent: str) -> list[StripeRefund]:
    with _our_errors():
        found = _client().v1.refunds.list({"payment_intent": payment_intent, "limit": 100})
        return [_refund(refund) for refund in found.auto_paging_iter()]


def get_dispute(dispute_id: str) -> Dispute:
    with _our_errors():
        return _dispute(_client().v1.disputes.retrieve(dispute_id))


def disputes_of(payment_intent: str) -> list[Dispute]:
    with _our_errors():
        found = _client().v1.disputes.list({"payment_intent": payment_intent, "limit": 100})
        return [_dispute(dispute) for dispute in found.auto_paging_iter()]


def _dispute(found: stripe.Dispute) -> Dispute:
    intent = found.payment_intent
    return Dispute(
        id=found.id,
        payment_intent=(intent if isinstance(intent, str) else intent.id) if intent else "",
        status=found.status,
        reason=found.reason[:100],
        amount=found.amount,
        currency=found.currency.upper(),
    )


def _refund(found: stripe.Refund) -> StripeRefund:
    return StripeRefund(
        id=found.id, amount=found.amount, status=found.status or "pending", reference=_metadata(found, "refund")
    )


# --- Events ---------------------------------------------------------------------------------------------------------


def verify(body: bytes, signature: str) -> Event:
    """
    Return the event that the body is, once its signature and clock are right.

    Raises BadSignature for everything else: the SDK answers a non-ASCII header with TypeError, a signed JSON list with
    AttributeError, and takes any time in the future.
    """
    try:
        event = _event(_signed(body, signature))
        signed_at = int(dict(part.split("=", 1) for part in signature.split(","))["t"])
    except Exception as error:  # whatever a stranger can provoke is one and the same refusal
        raise BadSignature(str(error)) from error
    if signed_at > time.time() + MAX_AHEAD:
        raise BadSignature("signed in the future")
    return event


def _signed(body: bytes, signature: str) -> stripe.Event:
    """Return the event if one of our secrets signed it; while an endpoint moves there are two, each with its own."""
    refused: Exception = BadSignature("STRIPE_WEBHOOK_SECRET is empty")
    for secret in webhook_secrets():
        try:
            return _client().construct_event(body, signature, secret)
        except stripe.SignatureVerificationError as error:
            refused = error
    raise refused


def webhook_secrets() -> list[str]:
    return [secret.strip() for secret in settings.STRIPE_WEBHOOK_SECRET.split(",") if secret.strip()]


def events_since(moment: int, kinds: list[str]) -> Iterator[Event]:
    """Yield the events created at or after a Unix time, newest first, asking for more pages as needed."""
    with _our_errors():
        found = _client().v1.events.list({"created": {"gte": moment}, "types": kinds, "limit": 100})
        for event in found.auto_paging_iter():
            try:
                yield _event(event)
            except (AttributeError, OverflowError, OSError, TypeError, ValueError) as error:
                logger.error("An event in Stripe's list makes no sense and is left out: %r", error)


def _event(found: stripe.Event) -> Event:
    payload = storable(found.to_dict())
    return Event(
        id=payload["id"][:255],
        kind=payload["type"][:100],
        happened_at=datetime.fromtimestamp(found.created, UTC),
        livemode=bool(found.livemode),
        payload=payload,
    )


# --- The client -----------------------------------------------------------------------------------------------------


class _PatientClient(stripe.RequestsClient):
    """The SDK's own HTTP client, which also keeps to the caller's deadline (within()); used by many threads at once."""

    @property
    def _timeout(self) -> tuple[float, float]:
        """Seconds to connect and seconds to answer, within what is left together."""
        connect = min(CONNECT_TIMEOUT, max(_seconds_left() / 2, 0.1))
        return connect, min(TIMEOUT, max(_seconds_left() - connect, 0.1))

    @_timeout.setter
    def _timeout(self, seconds: float | tuple[float, float]) -> None:
        """The SDK sets it once; the deadline decides."""

    def _should_retry(self, *args: Any, **kwargs: Any) -> bool:
        return _seconds_left() > 1.5 and super()._should_retry(*args, **kwargs)


def _seconds_left() -> float:
    deadline = _deadline.get()
    return float("inf") if deadline is None else deadline - time.monotonic()


def is_live() -> bool:
    """Return whether the configured key moves real money."""
    return str(settings.STRIPE_SECRET_KEY).startswith(("sk_live_", "rk_live_"))


def is_configured() -> bool:
    return bool(settings.STRIPE_SECRET_KEY)


def dashboard_url(payment_intent: str) -> str:
    """Return the payment's page in Stripe's dashboard, or in the local simulator, which shows what may happen to it."""
    if not payment_intent:
        return ""
    if settings.STRIPE_API_BASE:
        return f"{settings.STRIPE_API_BASE}/payments/{payment_intent}"
    mode = "" if is_live() else "test/"
    return f"https://dashboard.stripe.com/{mode}payments/{payment_intent}"


def _client() -> stripe.StripeClient:
    if not settings.STRIPE_SECRET_KEY:
        raise Unavailable("STRIPE_SECRET_KEY is empty: the shop cannot take money.")
    return _build(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@cache
def _build(secret_key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": base} if base else None,
        max_network_retries=RETRIES,
        http_client=_PatientClient(timeout=TIMEOUT),
    )


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise Unavailable(str(error)) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        # Ours to mend, and until then the same to the buyer as a Stripe that is away.
        logger.error("Stripe does not take the key in STRIPE_SECRET_KEY: %s", error)
        raise Unavailable(str(error)) from error
    except stripe.APIError as error:
        # 409 is "the same key is being worked on": ask again. Anything else here is 5xx.
        raise (Unavailable if error.http_status == 409 else Broken)(str(error)) from error
    except stripe.StripeError as error:
        refusal = Missing if error.code == "resource_missing" else Refused
        raise refusal(str(error), code=error.code or "") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # The SDK trusts that an answer is the object it asked for; a proxy's error page with status 200 is not. What it
        # was about may have happened: the same key finds out.
        logger.exception("Stripe's answer makes no sense")
        raise Unavailable(f"an answer that makes no sense: {error!r}") from error


def _metadata(found: Any, name: str) -> str:
    return str(found.metadata.to_dict().get(name, "")) if found.metadata else ""
