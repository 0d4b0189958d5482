"""
Proof that orders, payments, refunds and papers tell the same story; `manage.py audit_books` prints what does not.

The checks registered here read the database only. `stock()` and `mails()` need to know more than it and are for tests;
`differences()` asks Stripe, which the sweeper does once for each attempt, a day later.
"""

from collections.abc import Iterator, Mapping

from django.db.models import F, Q, Sum

from mail.models import OutgoingMail
from orders.audit import CHUNK, problems, register
from orders.models import Invoice, Order, OrderLine
from shop.charges import to_stripe
from shop.models import Product

from . import gateway
from .models import CREDITED, CheckoutAttempt, Dispute, Payment, PaymentQuerySet, Problem, Refund


def everything() -> list[str]:
    """Return what all registered checks find: nothing, when the books are right."""
    return list(problems())


@register
def paid_orders_have_their_money() -> Iterator[str]:
    """One accepted payment of exactly the total for each paid order, and none for any other."""
    money = Payment.objects.accepted().values("order")
    for pk in Order.objects.with_paid().exclude(pk__in=money).values_list("pk", flat=True):
        yield f"Order {pk} is paid and has no payment"
    for payment in _payments().accepted():
        order = payment.order
        agreed = (to_stripe(order.total, order.currency), order.currency.upper())
        if (payment.amount, payment.currency.upper()) != agreed:
            yield f"Order {order.pk}: {payment.amount} {payment.currency} came in for a total of {order.total}"
        if not order.is_paid_for and order.status not in (Order.Status.REFUNDED, Order.Status.CHARGED_BACK):
            yield f"Order {order.pk} has an accepted payment and is {order.status}"


@register
def refunds_agree() -> Iterator[str]:
    """Never more back than came in; the order's status and its credit notes say how much."""
    for payment in _payments().with_given(*CREDITED):
        order, given = payment.order, payment.given
        if given > payment.amount:
            yield f"Payment {payment}: {given} given back of {payment.amount}"
        if not payment.is_accepted:
            yield from _returned(payment, given)
            continue
        whole, part = given == payment.amount > 0, 0 < given < payment.amount
        if order.status == Order.Status.CHARGED_BACK:
            whole = part = False  # disputes_agree() looks at these
        if whole != (order.status == Order.Status.REFUNDED) or part != (
            order.status == Order.Status.PARTIALLY_REFUNDED
        ):
            yield f"Order {order.pk} is {order.status}, but {given} of {payment.amount} were given back"
        noted = order.invoices.filter(kind=Invoice.Kind.CREDIT_NOTE).aggregate(sum=Sum("total", default=0))["sum"]
        if to_stripe(noted, order.currency) != given:
            yield f"Order {order.pk}: credit notes over {noted}, {given} given back"


def _returned(payment: Payment, given: int) -> Iterator[str]:
    is_waiting = payment.refunds.filter(status=Refund.Status.REQUESTED).exists()
    is_flagged = Problem.objects.filter(order=payment.order, resolved_at=None).exists()
    if given + payment.lost() < payment.amount and not is_waiting and not is_flagged:
        yield f"Payment {payment} was not accepted and has not gone back"


@register
def disputes_agree() -> Iterator[str]:
    """An order is charged back when disputes took all that refunds had left of its payment, and only then."""
    taken = Q(disputes__status=Dispute.Status.LOST) | Q(order__status=Order.Status.CHARGED_BACK)
    for payment in _payments().accepted().filter(taken).distinct():
        given = payment.refunds.filter(status__in=CREDITED).aggregate(sum=Sum("amount", default=0))["sum"]
        lost, status = payment.lost(), payment.order.status
        is_gone = bool(lost) and given + lost >= payment.amount
        if is_gone != (status == Order.Status.CHARGED_BACK):
            yield f"Order {payment.order_id} is {status}, and {lost} of {payment.amount} were charged back"


@register
def nothing_is_owed() -> Iterator[str]:
    """A refund that came back is open until staff have paid it in another way; its order says so as long."""
    open_ones = Refund.objects.filter(status=Refund.Status.RETURNED, settled_at=None).select_related("payment__order")
    for refund in open_ones.order_by("pk"):
        yield f"Order {refund.payment.order_id}: {refund.total} {refund.payment.currency} came back and is still owed"
    owing = Order.objects.filter(is_refund_owed=True)
    for pk in owing.exclude(pk__in=open_ones.order_by().values("payment__order")).values_list("pk", flat=True):
        yield f"Order {pk} says that it owes a refund and owes none"


@register
def attempts_agree() -> Iterator[str]:
    lost = CheckoutAttempt.objects.filter(status=CheckoutAttempt.Status.OPEN)
    for attempt in lost.exclude(order__status=Order.Status.AWAITING_PAYMENT).values_list("idempotency_key", flat=True):
        yield f"Attempt {attempt} is open, its order is not"


def _payments() -> PaymentQuerySet:
    # Chunked by the database, not by a list: there may be a hundred thousand.
    return Payment.objects.select_related("order").order_by("pk")


def stock(initial: Mapping[int, int]) -> list[str]:
    """Compare with what each product (id -> units) had at first: now in stock plus held by orders."""
    held = dict(
        OrderLine.objects.filter(order__holds_stock=True)
        .order_by()
        .values_list("product_id")
        .annotate(units=Sum(F("quantity") - F("restocked")))
    )
    return [
        f"Product {pk}: {left} left and {held.get(pk, 0)} held, {initial[pk]} at first"
        for pk, left in Product.objects.filter(pk__in=initial).values_list("pk", "stock")
        if left + held.get(pk, 0) != initial[pk]
    ]


def mails() -> list[str]:
    """One invoice mail for each accepted payment, one refund mail for each refund that succeeded."""
    found = []
    for kind, due in (
        ("invoice", Payment.objects.accepted().count()),
        ("refund", Refund.objects.filter(status__in=CREDITED).count()),
    ):
        written = OutgoingMail.objects.filter(kind=kind).count()
        if written != due:
            found.append(f"{written} {kind} mails for {due}")
    return found


def against_stripe() -> list[str]:
    """Hold every attempt against Stripe's books; raises gateway.Unavailable when it does not answer."""
    attempts = CheckoutAttempt.objects.exclude(session_id=None).order_by("pk")
    return [difference for attempt in attempts.iterator(chunk_size=CHUNK) for difference in differences(attempt)]


def differences(attempt: CheckoutAttempt) -> Iterator[str]:
    """Say where Stripe's session, its payment and its refunds are not what we wrote down. Two calls at most."""
    try:
        session = gateway.get_session(attempt.session_id or "")
    except gateway.Missing:
        yield f"{attempt}: Stripe does not know its session"
        return
    if session.state != gateway.State.PAID:
        return
    payment = Payment.objects.filter(payment_intent=session.payment_intent).with_given(Refund.Status.SUCCEEDED).first()
    if payment is None or payment.amount != session.amount:
        yield f"{attempt}: Stripe has {session.amount}, we have {payment.amount if payment else None}"
        return
    refunds = gateway.refunds_of(session.payment_intent)
    theirs = sum(refund.amount for refund in refunds if refund.status not in ("failed", "canceled"))
    if theirs != payment.given:
        yield f"{attempt}: Stripe gave back {theirs}, we {payment.given}"
