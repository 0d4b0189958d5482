"""The mails that a payment causes, beside those of the order. Each is written in the transaction that causes it."""

from django.conf import settings
from django.urls import reverse

from core.web.links import site_url
from mail import outbox
from orders.models import Order

from .models import Problem, Refund


def failed(order: Order) -> None:
    """Tell the buyer that their bank has refused in the end."""
    outbox.enqueue(
        kind="payment-failed",
        dedup_key=f"payment-failed:{order.pk}",
        to=order.email,
        template="payment/email/failed",
        context={"order": order, "url": site_url(order.get_absolute_url())},
    )


def refund(order: Order, refund: Refund, what: str) -> None:
    """Tell the buyer what became of a refund that did not go through: `what` is "returned" or "settled"."""
    outbox.enqueue(
        kind=f"refund-{what}",
        dedup_key=f"refund-{what}:{refund.pk}",
        to=order.email,
        template=f"payment/email/refund_{what}",
        context={"order": order, "refund": refund, "url": site_url(order.get_absolute_url())},
        reply_to=settings.STAFF_EMAIL,
    )


def problem(problem: Problem, order: Order | None) -> None:
    """Tell staff what a person has to look at."""
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
