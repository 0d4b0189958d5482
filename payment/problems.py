"""What a person has to look at: kept as a row, mailed to staff once."""

import hashlib
import logging

from django.db import transaction
from django.utils import timezone

from orders.models import Order

from . import mails
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
        mails.problem(problem, order)


def resolve(prefix: str) -> None:
    """Close the problems whose keys begin like this: what they warned of has been decided."""
    Problem.objects.filter(key__startswith=prefix, resolved_at=None).update(resolved_at=timezone.now())
