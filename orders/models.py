"""Orders: what was bought, by whom, at which price, and every step since; invoices and their gapless numbers."""

import re
import secrets
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from .totals import RateTotal, per_rate


def new_token() -> str:
    """Return 128 random bits for an address that cannot be guessed."""
    return secrets.token_urlsafe(16)


class OrderQuerySet(models.QuerySet["Order"]):
    def with_paid(self) -> Self:
        """Orders whose money arrived and was not given back as a whole."""
        return self.filter(status__in=[Order.Status.PAID, Order.Status.FULFILLED, Order.Status.PARTIALLY_REFUNDED])


class Order(models.Model):
    """
    One purchase. Names and amounts are those of the moment it was placed and never change.

    Amounts are gross (VAT included) Decimals in `currency`, rounded once when the order is placed.
    """

    class Status(models.TextChoices):
        """
        awaiting_payment -> processing -> paid -> fulfilled; awaiting_payment or processing -> expired or cancelled;
        paid or fulfilled -> partially_refunded -> refunded; expired or cancelled, and money arrives -> paid when stock
        is found, else refund_due -> refunded. MOVES below is the same in code.
        """

        AWAITING_PAYMENT = "awaiting_payment", _("awaiting payment")
        PROCESSING = "processing", _("payment on its way")
        PAID = "paid", _("paid")
        FULFILLED = "fulfilled", _("sent")
        EXPIRED = "expired", _("expired")
        CANCELLED = "cancelled", _("cancelled")
        REFUND_DUE = "refund_due", _("refund due")
        PARTIALLY_REFUNDED = "partially_refunded", _("partly refunded")
        REFUNDED = "refunded", _("refunded")

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    # The same checkout posted twice carries the same key and finds the same order.
    checkout_key = models.CharField(max_length=64, unique=True, editable=False)
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.AWAITING_PAYMENT, db_index=True
    )
    first_name = models.CharField(_("first name"), max_length=100)
    last_name = models.CharField(_("last name"), max_length=100)
    email = models.EmailField(_("e-mail"))
    address = models.CharField(_("address"), max_length=250)
    postal_code = models.CharField(_("postal code"), max_length=20)
    city = models.CharField(_("city"), max_length=100)
    country = CountryField(_("country"))
    company = models.CharField(_("company"), max_length=150, blank=True)
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True)
    currency = models.CharField(max_length=3)
    subtotal = models.DecimalField(_("goods"), max_digits=12, decimal_places=3)
    coupon_code = models.CharField(_("coupon"), max_length=50, blank=True)
    discount = models.DecimalField(_("discount"), max_digits=12, decimal_places=3, default=Decimal(0))
    shipping = models.DecimalField(_("shipping"), max_digits=12, decimal_places=3, default=Decimal(0))
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=3)
    vat = models.DecimalField(_("VAT in the total"), max_digits=12, decimal_places=3, default=Decimal(0))
    # Whether the units of this order are out of the catalogue's stock; what makes giving them back twice impossible.
    holds_stock = models.BooleanField(_("holds stock"), default=True, editable=False)
    created_at = models.DateTimeField(_("placed at"), auto_now_add=True, db_index=True)
    expires_at = models.DateTimeField(_("stock held until"))
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True, db_index=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(Lower("email"), name="order_email_lower")]
        constraints = [
            models.CheckConstraint(condition=models.Q(total__gte=0, discount__gte=0), name="order_amounts_positive")
        ]
        verbose_name = _("order")
        verbose_name_plural = _("orders")

    def __str__(self) -> str:
        return f"#{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("orders:order_detail", args=[self.token])

    @property
    def is_paid_for(self) -> bool:
        """Whether the buyer may have what was bought; not once the whole sum went back."""
        return self.status in (Order.Status.PAID, Order.Status.FULFILLED, Order.Status.PARTIALLY_REFUNDED)

    @property
    def is_payable(self) -> bool:
        """Whether it may still be paid: an order given up, or past its time, may not, also before the sweep ends it."""
        return self.status == Order.Status.AWAITING_PAYMENT and self.expires_at > timezone.now()

    @property
    def has_lapsed(self) -> bool:
        """Whether its time is over and the sweep has yet to end it, having asked Stripe for a last-second payment."""
        return self.status == Order.Status.AWAITING_PAYMENT and self.expires_at <= timezone.now()

    @property
    def status_words(self) -> str:
        """The status as the buyer should read it."""
        return str(Order.Status.EXPIRED.label if self.has_lapsed else self.get_status_display())

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def net(self) -> Decimal:
        return self.total - self.vat

    def per_rate(self) -> list[RateTotal]:
        """Return net, VAT and gross for each VAT rate; they add up to the total exactly."""
        return per_rate(
            [(line.vat_rate, line.total) for line in self.lines.all()],
            discount=self.discount,
            shipping=self.shipping,
            currency=self.currency,
        )

    def move(self, to: str, *, actor: Any = None, note: str | Promise = "", stripe_event: str = "") -> bool:
        """
        Change the status if MOVES allows it from where the row is now, and write the step into the history.

        Returns True only to the one caller whose UPDATE changed the row; everyone else must do nothing.
        """
        target = Order.Status(to)
        changes: dict[str, Any] = {"status": target}
        if target == Order.Status.PAID:
            changes["paid_at"] = timezone.now()
        elif target == Order.Status.FULFILLED:
            changes["sent_at"] = timezone.now()
        with transaction.atomic():
            if not Order.objects.filter(pk=self.pk, status__in=MOVES[target]).update(**changes):
                return False
            self.remember(note, status=target, actor=actor, stripe_event=stripe_event)
        for name, value in changes.items():
            setattr(self, name, value)
        return True

    def mark_sent(self, *, actor: Any = None) -> bool:
        """Note that the goods left. An order refunded in part keeps that as its status."""
        if self.move(Order.Status.FULFILLED, actor=actor):
            return True
        waiting = Order.objects.filter(pk=self.pk, status=Order.Status.PARTIALLY_REFUNDED, sent_at=None)
        with transaction.atomic():
            if not waiting.update(sent_at=timezone.now()):
                return False
            self.remember(_("Sent."), actor=actor)
        return True

    def give_up(self, *, actor: Any = None) -> bool:
        """Let an unpaid order lapse now. The sweep ends it, which first sees to it that it cannot be paid any more."""
        waiting = Order.objects.filter(pk=self.pk, status=Order.Status.AWAITING_PAYMENT, expires_at__gt=timezone.now())
        with transaction.atomic():
            if not waiting.update(expires_at=timezone.now()):
                return False
            self.remember(_("Given up before it was paid."), actor=actor)
        return True

    def remember(self, note: str | Promise, *, status: str = "", actor: Any = None, stripe_event: str = "") -> None:
        """Add a line to the history; on its own for what happened without a change of status."""
        OrderEvent.objects.create(
            order=self, status=status, actor=actor, note=str(note)[:300], stripe_event=stripe_event[:255]
        )


_S = Order.Status
# Where an order may come from, by where it goes.
MOVES: dict[Order.Status, frozenset[Order.Status]] = {
    _S.AWAITING_PAYMENT: frozenset(),
    _S.PROCESSING: frozenset([_S.AWAITING_PAYMENT]),
    _S.PAID: frozenset([_S.AWAITING_PAYMENT, _S.PROCESSING, _S.EXPIRED, _S.CANCELLED]),
    _S.FULFILLED: frozenset([_S.PAID]),
    _S.EXPIRED: frozenset([_S.AWAITING_PAYMENT, _S.PROCESSING]),
    _S.CANCELLED: frozenset([_S.AWAITING_PAYMENT, _S.PROCESSING]),
    _S.REFUND_DUE: frozenset([_S.EXPIRED, _S.CANCELLED]),
    _S.PARTIALLY_REFUNDED: frozenset([_S.PAID, _S.FULFILLED]),
    _S.REFUNDED: frozenset([_S.PAID, _S.FULFILLED, _S.PARTIALLY_REFUNDED, _S.REFUND_DUE]),
}


class OrderLine(models.Model):
    """One product of an order, with its name, price and VAT rate of that moment."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey("shop.Product", on_delete=models.PROTECT, related_name="order_lines")
    name = models.CharField(_("name"), max_length=200)
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=3)
    vat_rate = models.DecimalField(_("VAT rate"), max_digits=5, decimal_places=2)
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=models.Q(quantity__gt=0), name="order_line_quantity_positive")]
        verbose_name = _("line")
        verbose_name_plural = _("lines")

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity


class OrderEvent(models.Model):
    """One step in an order's life, written with the step itself: what, who, why, and Stripe's event id if any."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    status = models.CharField(_("became"), max_length=20, choices=Order.Status, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    stripe_event = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("step")
        verbose_name_plural = _("history")

    def __str__(self) -> str:
        return f"{self.created_at:%F %T} {self.status} {self.note}"


class ShippingRate(models.Model):
    """What sending costs to a group of countries; the rate without countries is for all that no other one names."""

    name = models.CharField(_("name"), max_length=100)
    countries = CountryField(_("countries"), multiple=True, blank=True, help_text=_("None: the rest of the world."))
    price = models.DecimalField(
        _("price"), max_digits=12, decimal_places=3, validators=[MinValueValidator(0)], help_text=_("VAT included.")
    )
    free_from = models.DecimalField(
        _("free from"), max_digits=12, decimal_places=3, null=True, blank=True, help_text=_("Value of the goods.")
    )

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name="shipping_price_not_negative")]
        verbose_name = _("shipping rate")
        verbose_name_plural = _("shipping rates")

    def __str__(self) -> str:
        return self.name


class InvoiceCounter(models.Model):
    """The last number given in a year. Raised by UPDATE in the transaction that uses the number, so no gap stays."""

    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    last = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("invoice counter")
        verbose_name_plural = _("invoice counters")

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def labelled(self, label: str) -> Self:
        """The invoice printed as "2026-00012"; nothing for a text that is no such label."""
        match = re.fullmatch(r"(\d{4})-(\d{5,9})", label, re.ASCII)
        return self.filter(year=int(match[1]), number=int(match[2])) if match else self.none()

    def without_content(self) -> Self:
        """For lists: what is printed on a paper is a thousand times what names it."""
        return self.defer("snapshot")


class Invoice(models.Model):
    """An invoice or a credit note: a number and a frozen copy of everything printed on it. Never edited."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT_NOTE = "credit_note", _("credit note")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="invoices")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.INVOICE)
    # Empty for the invoice, of which there is one; what tells an order's credit notes apart, such as the refund's id.
    reference = models.CharField(_("reference"), max_length=255, blank=True)
    year = models.PositiveSmallIntegerField(_("year"))
    number = models.PositiveIntegerField(_("number"))
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=3)
    snapshot = models.JSONField(_("content"), encoder=DjangoJSONEncoder)
    pdf = models.CharField(_("file"), max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(_("issued at"), auto_now_add=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        ordering = ["-year", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["order", "kind", "reference"], name="invoice_once_per_order"),
            models.UniqueConstraint(fields=["year", "number"], name="invoice_number_unique"),
        ]
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        """Return the buyer's address of the file; the order must be loaded."""
        return reverse("orders:order_invoice", args=[self.order.token, self.label])

    @property
    def label(self) -> str:
        return f"{self.year}-{self.number:05d}"

    @property
    def filename(self) -> str:
        return f"{self.kind.replace('_', '-')}-{self.label}.pdf"


class Withdrawal(models.Model):
    """
    A buyer's statement that they withdraw from a contract, as they typed it, and when.

    Anyone can make one, as the law wants it (Directive (EU) 2023/2673): `order` is set only when number and address
    belong together, and staff decide about the rest.
    """

    key = models.CharField(max_length=64, unique=True, editable=False)
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="withdrawals", verbose_name=_("order")
    )
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"))
    order_number = models.CharField(_("order number"), max_length=40)
    note = models.TextField(_("which things, if not all"), max_length=2000, blank=True)
    created_at = models.DateTimeField(_("received at"), auto_now_add=True)
    handled_at = models.DateTimeField(_("handled at"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")

    def __str__(self) -> str:
        return f"{self.name}, {self.order_number}"
