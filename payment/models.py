"""What passed between the shop and Stripe. Amounts here are Stripe's: whole minor units (cents) beside a currency."""

from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.returns import Things
from shop.charges import from_stripe


class CheckoutAttempt(models.Model):
    """
    One Checkout Session for one order, with all it was asked for: stored before the call, so that the call can be
    repeated to the letter and Stripe's idempotency finds the session of the first time.
    """

    class Status(models.TextChoices):
        """open -> complete, expired or failed. A failed one has no session; the next attempt takes a new key."""

        OPEN = "open", _("open")
        COMPLETE = "complete", _("complete")
        EXPIRED = "expired", _("expired")
        FAILED = "failed", _("failed")

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="attempts")
    n = models.PositiveSmallIntegerField(_("number"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    idempotency_key = models.CharField(_("idempotency key"), max_length=100, unique=True)
    params = models.JSONField(_("parameters"), default=dict)
    # NULL rather than empty: SQLite does not use an index that leaves the empty ones out.
    session_id = models.CharField(_("session"), max_length=255, unique=True, null=True, blank=True)
    url = models.TextField(_("pay page"), blank=True)
    expires_at = models.DateTimeField(_("expires at"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    asked_at = models.DateTimeField(_("Stripe last asked at"), null=True, blank=True)
    reconciled_at = models.DateTimeField(_("compared with Stripe at"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "n"], name="attempt_number_unique"),
            models.UniqueConstraint(fields=["order"], condition=Q(status="open"), name="attempt_one_open_per_order"),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(status="open"), name="attempt_open_idx"),
            models.Index(fields=["created_at"], condition=Q(reconciled_at=None), name="attempt_unreconciled_idx"),
        ]
        verbose_name = _("checkout attempt")
        verbose_name_plural = _("checkout attempts")

    def __str__(self) -> str:
        return f"{self.idempotency_key} ({self.status})"

    def close(self, status: str) -> bool:
        """Leave the open state; True for the one caller who did it."""
        closed = CheckoutAttempt.objects.filter(pk=self.pk, status=self.Status.OPEN).update(status=status)
        return bool(closed)


class WebhookEvent(models.Model):
    """One event as Stripe sent it. The id is unique, so a second delivery changes nothing."""

    class Status(models.TextChoices):
        """received -> done, ignored, or failed after five tries; staff may put a failed one back to received."""

        RECEIVED = "received", _("received")
        DONE = "done", _("done")
        IGNORED = "ignored", _("ignored")
        FAILED = "failed", _("failed")

    event_id = models.CharField(_("event id"), max_length=255, unique=True)
    kind = models.CharField(_("type"), max_length=100)
    livemode = models.BooleanField(_("live"))
    payload = models.JSONField(_("content"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.RECEIVED)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    error = models.TextField(_("error"), blank=True)
    happened_at = models.DateTimeField(_("happened at"))
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    due_at = models.DateTimeField(_("due at"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="received"), name="event_due_idx"),
            models.Index(fields=["happened_at"], name="event_happened_idx"),
        ]
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class PaymentQuerySet(models.QuerySet["Payment"]):
    def accepted(self) -> Self:
        """Payments that paid for an order, as opposed to those that only go back."""
        return self.filter(is_accepted=True)

    def with_given(self, *statuses: str) -> Self:
        """Annotate `given`: what refunds in one of these states gave back, in minor units."""
        return self.annotate(given=Sum("refunds__amount", filter=Q(refunds__status__in=statuses), default=0))


class Payment(models.Model):
    """
    Money that arrived, once per payment intent.

    An order that costs nothing is paid by one of amount 0 whose intent is "free-<order id>". A payment is not accepted
    when its order was paid already, could not be filled any more, or was for another amount; it is given back.
    """

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="payments")
    payment_intent = models.CharField(_("payment intent"), max_length=255, unique=True)
    session_id = models.CharField(_("session"), max_length=255, blank=True)
    amount = models.PositiveBigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    given: int  # with_given()
    is_accepted = models.BooleanField(_("accepted"), default=True)
    # The newest of its disputes, for lists.
    dispute_id = models.CharField(_("dispute"), max_length=255, blank=True)
    dispute_status = models.CharField(_("state of the dispute"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(is_accepted=True), name="payment_one_per_order")
        ]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")

    def __str__(self) -> str:
        return self.payment_intent

    @property
    def is_disputed(self) -> bool:
        """Whether the buyer's bank has taken the money, for now or for good, so that Stripe refunds nothing of it."""
        return self.dispute_status in Dispute.BLOCKING

    @property
    def is_free(self) -> bool:
        return self.payment_intent.startswith("free-")

    @property
    def total(self) -> Decimal:
        return from_stripe(self.amount, self.currency)

    def refunded(self) -> int:
        """Return what was given back or is about to be, in minor units; one query."""
        given = self.refunds.exclude(status=Refund.Status.FAILED).aggregate(sum=Sum("amount"))
        return given["sum"] or 0

    def lost(self) -> int:
        """Return what lost disputes took, in minor units; one query."""
        lost = self.disputes.filter(status=Dispute.Status.LOST).aggregate(sum=Sum("amount", default=0))
        return int(lost["sum"])

    def things_back(self) -> Things:
        """Return the pieces of the order that were given back or are about to be."""
        rows = self.refunds.exclude(status=Refund.Status.FAILED).values_list("things", flat=True)
        return Things.together(Things.from_json(kept) for kept in rows)

    def refundable(self) -> int:
        return 0 if self.is_free else max(self.amount - self.refunded() - self.lost(), 0)


class Dispute(models.Model):
    """
    A buyer's bank asks for money back. The row may come before its payment, and then waits for it.

    Money lost in a dispute is booked by this row: it is gone from the payment without a refund or a credit note.
    """

    class Status(models.TextChoices):
        """Stripe's words (https://docs.stripe.com/api/disputes/object). A "warning" asks and has taken nothing yet."""

        WARNING_NEEDS_RESPONSE = "warning_needs_response", _("the bank asks and needs an answer")
        WARNING_UNDER_REVIEW = "warning_under_review", _("the bank looks at our answer")
        WARNING_CLOSED = "warning_closed", _("the bank has asked no more")
        NEEDS_RESPONSE = "needs_response", _("disputed: needs an answer")
        UNDER_REVIEW = "under_review", _("disputed: the bank looks at our answer")
        WON = "won", _("won")
        LOST = "lost", _("lost")
        PREVENTED = "prevented", _("settled before it began")

    CLOSED = (Status.WARNING_CLOSED, Status.WON, Status.LOST, Status.PREVENTED)
    BLOCKING = (Status.NEEDS_RESPONSE, Status.UNDER_REVIEW, Status.LOST)

    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="disputes", verbose_name=_("payment")
    )
    dispute_id = models.CharField(_("Stripe's id"), max_length=255, unique=True)
    payment_intent = models.CharField(_("payment intent"), max_length=255)
    amount = models.PositiveBigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    reason = models.CharField(_("reason"), max_length=100, blank=True)
    status = models.CharField(_("status"), max_length=40, choices=Status, blank=True)
    created_at = models.DateTimeField(_("heard of at"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["payment_intent"], condition=Q(payment=None), name="dispute_waiting_idx")]
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")

    def __str__(self) -> str:
        return self.dispute_id

    @property
    def total(self) -> Decimal:
        return from_stripe(self.amount, self.currency)


class Refund(models.Model):
    """Money given back. Written before Stripe is asked, so that a crash in between is repeated with the same key."""

    class Status(models.TextChoices):
        """
        requested -> succeeded or failed; succeeded -> returned when the buyer's bank sends the money back. A returned
        one is still owed (its credit note stands) until staff have paid it in another way: `settled_at`.
        """

        REQUESTED = "requested", _("requested")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        RETURNED = "returned", _("came back")

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    stripe_refund_id = models.CharField(_("Stripe's id"), max_length=255, blank=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=255, unique=True)
    amount = models.PositiveBigIntegerField(_("amount"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.REQUESTED)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    restocks = models.BooleanField(_("goods go back on the shelf"), default=False)
    # What it is paid for (orders.returns.Things), and its worth by VAT rate; NULL for an amount.
    things = models.JSONField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    # How often Stripe answered 5xx: it repeats that answer for the same key, so each one makes the next key another.
    broken = models.PositiveSmallIntegerField(default=0, editable=False)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    due_at = models.DateTimeField(_("due at"), default=timezone.now)
    settled_at = models.DateTimeField(_("paid in another way at"), null=True, blank=True)
    settled_how = models.CharField(_("how"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_refund_id"], condition=~Q(stripe_refund_id=""), name="refund_stripe_id_unique"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(status="requested"), name="refund_due_idx")]
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")

    def __str__(self) -> str:
        return self.idempotency_key

    @property
    def total(self) -> Decimal:
        return from_stripe(self.amount, self.payment.currency)

    @property
    def worth(self) -> dict[Decimal, Decimal] | None:
        """What of it belongs to which VAT rate, where it is known."""
        rates = (self.things or {}).get("worth", {})
        return {Decimal(rate): Decimal(gross) for rate, gross in rates.items()} or None


# What a credit note was written for: also the money that came back, which is still the buyer's.
CREDITED = (Refund.Status.SUCCEEDED, Refund.Status.RETURNED)


class Problem(models.Model):
    """Something about money that a person has to look at; staff are mailed once for each."""

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, null=True, blank=True, related_name="problems")
    key = models.CharField(max_length=200, unique=True, editable=False)
    text = models.TextField(_("what is wrong"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("problem")
        verbose_name_plural = _("problems")

    def __str__(self) -> str:
        return self.text
