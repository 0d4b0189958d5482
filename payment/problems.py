"""What a person has to look at: kept as a row, mailed to staff once."""

import hashlib
import logging

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from core.web.links import site_url
from mail import outbox
from orders.models import Order

from .models import Problem

logger = logging.getLogger(__name__)


def _short(key: str) -> str:
    """Fit a key into its column so that two long ones stay two."""
    return key if len(key) <= 200 else f"{key[:135]}-{hashlib.sha256(key.encode()).hexdigest()}"


def report(key: str, text: str, *, order: Order | None = None, is_settled: bool = False) -> None:
    """Write the problem down and tell staff; the same `key` again does nothing. `is_settled`: good news, nothing to do."""
    logger.error("Payment problem %s: %s", key, text)
    values = {"text": text, "order": order, "resolved_at": timezone.now() if is_settled else None}
    with transaction.atomic():
        problem, is_new = Problem.objects.get_or_create(key=_short(key), defaults=values)
        if not is_new:
            return
        if order is not None:
            order.remember(text)
        outbox.enqueue(
            kind="payment-problem",
            dedup_key=f"payment-problem:{problem.pk}",
            to=settings.STAFF_EMAIL,
            template="payment/email/problem",
            context={
                "problem": problem,
                "order": order,
                "url": site_url(reverse("admin:payment_problem_change", args=[problem.pk])),
            },
        )


def resolve(prefix: str) -> None:
    """Close the problems whose keys begin like this: what they warned of has been decided."""
    Problem.objects.filter(key__startswith=prefix, resolved_at=None).update(resolved_at=timezone.now())
