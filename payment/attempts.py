"""The buyer's way to Stripe: one open attempt per order, one session per attempt, however often Pay is pressed."""

import logging
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.web.links import site_url
from orders.checkout import UNPAID_FOR
from orders.models import Order
from shop.charges import MAX_LINES, refusal, to_stripe

from . import gateway, problems
from .fulfil import lapse, settle
from .models import CheckoutAttempt

logger = logging.getLogger(__name__)

# The stock waits a little longer than the pay page, so that a payment in its last second still finds it.
GRACE = timedelta(minutes=4)
# Stripe's shortest is 30 minutes from when the call reaches it; half a minute is for the way there.
SHORTEST = timedelta(minutes=30, seconds=30)
# A pay page with less than this left is replaced rather than shown.
TOO_SHORT = timedelta(minutes=2)
MAX_ATTEMPTS = 20


class NotPayable(Exception):
    """The order is paid, on its way, or gone; its status says which."""


class TimeIsUp(NotPayable):
    """The order waits only for the sweep to end it. `order` is it."""

    def __init__(self, order: Order) -> None:
        self.order = order
        super().__init__(str(order))


class NotChargeable(NotPayable):
    """Stripe would not take the total; the message says why, for the buyer."""


class NothingToPay(Exception):
    """The order costs nothing. `order` is it."""

    def __init__(self, order: Order) -> None:
        self.order = order
        super().__init__(str(order))


def start(token: str) -> str:
    """
    Return the address of the order's pay page, the same one for every click while it is good.

    Raises Order.DoesNotExist for a token of nobody's, NothingToPay, NotPayable, NotChargeable, or gateway.Unavailable when Stripe
    cannot be asked now; then the attempt stays and the next click repeats its call to the letter. Talks to Stripe:
    never call it inside a transaction.
    """
    for _again in range(3):
        try:
            attempt = _open_attempt(token)
        except TimeIsUp as late:
            with suppress(gateway.Unavailable):
                let_go(late.order)  # as the sweep would: it may turn out to be paid
            raise
        session = look(attempt) if attempt.session_id else _create(attempt)
        if session is None:
            continue  # this attempt came to nothing and is closed; the next one takes a new key
        if session.state == gateway.State.OPEN and _is_good(attempt):
            return session.url
        retire(attempt)
    order = attempt.order
    problems.report(f"no-session-{order.pk}", _("Stripe refuses to open a pay page for this order."), order=order)
    raise gateway.Unavailable("no session after three attempts")


def _is_good(attempt: CheckoutAttempt) -> bool:
    """Whether there is time left to pay on it, and it shows the address that the buyer may have corrected since."""
    has_time = attempt.expires_at - timezone.now() > TOO_SHORT
    return has_time and attempt.params.get("customer_email") == attempt.order.email


def look(attempt: CheckoutAttempt) -> gateway.Session | None:
    """Ask Stripe for the attempt's session; one that Stripe does not know will never be paid and is given up."""
    try:
        return gateway.get_session(attempt.session_id or "")
    except gateway.Missing as error:
        logger.error("%s is gone: %s", attempt, error)
        attempt.close(CheckoutAttempt.Status.FAILED)
        return None


def retire(attempt: CheckoutAttempt) -> None:
    """
    End an attempt at Stripe first and then here, so that nobody can pay what we gave up; a payment that was quicker
    counts.
    """
    if not attempt.session_id:
        _create(attempt)
    if attempt.session_id and look(attempt):
        settle(gateway.expire_session(attempt.session_id))


def let_go(order: Order) -> None:
    """End the order's session at Stripe first: only when nobody can pay it any more does the stock go back."""
    attempt = order.attempts.filter(status=CheckoutAttempt.Status.OPEN).first()
    if attempt is not None:
        retire(attempt)
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update().get(pk=order.pk)
        if not order.attempts.filter(status=CheckoutAttempt.Status.OPEN).exists():
            lapse(order)


def _open_attempt(token: str) -> CheckoutAttempt:
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update().get(token=token)
        if order.status != Order.Status.AWAITING_PAYMENT:
            raise NotPayable(order.status)
        if order.has_lapsed:
            raise TimeIsUp(order)
        if order.total == 0:
            raise NothingToPay(order)
        if why := refusal(order.total, discount=order.discount, code=order.currency):
            raise NotChargeable(why)
        earlier = list(order.attempts.all())
        found = next((attempt for attempt in earlier if attempt.status == CheckoutAttempt.Status.OPEN), None)
        return found or _new_attempt(order, n=1 + max((attempt.n for attempt in earlier), default=0))


def _new_attempt(order: Order, *, n: int) -> CheckoutAttempt:
    if n > MAX_ATTEMPTS:
        raise NotPayable("too many attempts")
    if order.expires_at - GRACE - timezone.now() < SHORTEST:
        order.expires_at = timezone.now() + UNPAID_FOR
        order.save(update_fields=["expires_at"])
    expires_at = order.expires_at - GRACE
    # The token's beginning keeps the key apart from those of another database on the same Stripe account.
    key = f"co-{order.pk}-{n}-{order.token[:8]}"
    return CheckoutAttempt.objects.create(
        order=order,
        n=n,
        idempotency_key=key,
        expires_at=expires_at,
        params=_params(order, key, int(expires_at.timestamp())),
    )


def _create(attempt: CheckoutAttempt) -> gateway.Session | None:
    """Open the attempt's session, or find the one an earlier call opened; None when this attempt will never have one."""
    try:
        for discount in attempt.params.get("discounts", []):
            gateway.ensure_coupon(
                discount["coupon"],
                amount=to_stripe(attempt.order.discount, attempt.order.currency),
                currency=attempt.order.currency.lower(),
                name=attempt.order.coupon_code or _("Discount"),
            )
        session = gateway.create_session(attempt.params, key=attempt.idempotency_key)
    except gateway.Broken:
        attempt.close(CheckoutAttempt.Status.FAILED)
        raise
    except gateway.Refused as error:
        # Most often an attempt that waited out a breakdown and would now expire too soon for Stripe.
        logger.warning("Stripe refused %s: %s", attempt, error)
        attempt.close(CheckoutAttempt.Status.FAILED)
        return None
    CheckoutAttempt.objects.filter(pk=attempt.pk, session_id=None).update(session_id=session.id, url=session.url)
    attempt.session_id = session.id
    return session


def _params(order: Order, key: str, expires_at: int) -> dict[str, Any]:
    """Return all that Stripe is told about the order, in the amounts it was placed with."""
    metadata = {"order": str(order.pk), "attempt": key}
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": _line_items(order),
        "success_url": site_url(reverse("payment:completed")) + "?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": f"{site_url(reverse('payment:canceled'))}?order={order.token}",
        "client_reference_id": str(order.pk),
        "customer_email": order.email,
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "expires_at": expires_at,
    }
    if order.discount:
        params["discounts"] = [{"coupon": f"order-{order.pk}-{order.token[:8]}"}]
    return params


def _line_items(order: Order) -> list[dict[str, Any]]:
    lines = [_line_item(order, line.name, line.unit_price, line.quantity) for line in order.lines.all()]
    if order.shipping:
        lines.append(_line_item(order, _("Shipping"), order.shipping, 1))
    listed = sum(line["price_data"]["unit_amount"] * line["quantity"] for line in lines)
    if len(lines) > MAX_LINES or listed != to_stripe(order.total + order.discount, order.currency):
        # What is charged is the order's total, however many its lines are and whatever they add up to.
        return [_line_item(order, _("Order %(number)s") % {"number": order}, order.total + order.discount, 1)]
    return lines


def _line_item(order: Order, name: str, amount: Decimal, quantity: int) -> dict[str, Any]:
    return {
        "quantity": quantity,
        "price_data": {
            "currency": order.currency.lower(),
            "unit_amount": to_stripe(amount, order.currency),
            "product_data": {"name": name},
        },
    }
