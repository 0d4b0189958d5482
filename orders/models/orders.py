"""Orders: what was bought, by whom, at which price, and every step since."""

import secrets
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from account.models import User
from content.plaintext import LineField
from orders.totals import MOST, RateTotal, per_rate
from orders.vat_rules import Relief


def new_token() -> str:
    """Return 128 random bits for an address that cannot be guessed."""
    return secrets.token_urlsafe(16)


def amounts_fit(*names: str) -> models.Q:
    """Return the condition that these columns hold amounts, none of them negative or longer than the column."""
    return models.Q(**{f"{name}__gte": 0 for name in names}, **{f"{name}__lte": MOST for name in names})


class OrderQuerySet(models.QuerySet["Order"]):
    def with_paid(self) -> Self:
        """Orders whose money arrived and was not given back as a whole."""
        return self.filter(status__in=[Order.Status.PAID, Order.Status.SENT, Order.Status.PARTIALLY_REFUNDED])

    def payable(self) -> Self:
        """Orders that may still be paid, as `Order.is_payable` says of one."""
        return self.filter(status=Order.Status.AWAITING_PAYMENT, expires_at__gt=timezone.now())


class Order(models.Model):
    """
    One purchase. Names and amounts are those of the moment it was placed and never change.

    Amounts are gross (VAT included) Decimals in `currency`, rounded once when the order is placed.
    """

    class Status(models.TextChoices):
        """
        awaiting_payment -> processing -> paid -> fulfilled; awaiting_payment or processing -> expired or cancelled;
        paid or fulfilled -> partially_refunded -> refunded; expired or cancelled, and money arrives -> paid when stock
        is found, else refund_due -> refunded; any that is paid -> charged_back when the buyer's bank takes the money.
        MOVES below is the same in code.
        """

        AWAITING_PAYMENT = "awaiting_payment", _("awaiting payment")
        PROCESSING = "processing", _("payment on its way")
        PAID = "paid", _("paid")
        SENT = "fulfilled", _("sent")
        EXPIRED = "expired", _("expired")
        CANCELLED = "cancelled", _("cancelled")
        REFUND_DUE = "refund_due", _("refund due")
        PARTIALLY_REFUNDED = "partially_refunded", _("partly refunded")
        REFUNDED = "refunded", _("refunded")
        CHARGED_BACK = "charged_back", _("charged back")

    class UndoneBy(models.TextChoices):
        """Who ended it before it was paid; nobody when its time ran out."""

        BUYER = "buyer", _("undone")
        STAFF = "staff", _("cancelled by us")

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    # The same checkout posted twice carries the same key and finds the same order.
    checkout_key = models.CharField(max_length=64, unique=True, editable=False)
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.AWAITING_PAYMENT, db_index=True
    )
    first_name = LineField(_("first name"), max_length=100)
    last_name = LineField(_("last name"), max_length=100)
    email = models.EmailField(_("e-mail"))
    address = LineField(_("address"), max_length=250)
    postal_code = LineField(_("postal code"), max_length=20)
    city = LineField(_("city"), max_length=100)
    country = CountryField(_("country"))
    company = LineField(_("company"), max_length=150, blank=True)
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True)
    undone_by = models.CharField(
        _("undone by"), max_length=5, choices=UndoneBy, blank=True, default="", db_default="", editable=False
    )
    currency = models.CharField(max_length=3)
    subtotal = models.DecimalField(_("goods"), max_digits=12, decimal_places=3)
    coupon_code = models.CharField(_("coupon"), max_length=50, blank=True)
    discount = models.DecimalField(_("discount"), max_digits=12, decimal_places=3, default=Decimal(0))
    shipping = models.DecimalField(_("shipping"), max_digits=12, decimal_places=3, default=Decimal(0))
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=3)
    vat = models.DecimalField(_("VAT in the total"), max_digits=12, decimal_places=3, default=Decimal(0))
    vat_relief = models.CharField(_("why no VAT"), max_length=10, choices=Relief, blank=True, default="", db_default="")
    # Whether the units of this order are out of the catalogue's stock; what makes giving them back twice impossible.
    holds_stock = models.BooleanField(_("holds stock"), default=True, editable=False)
    created_at = models.DateTimeField(_("placed at"), auto_now_add=True, db_index=True)
    expires_at = models.DateTimeField(_("stock held until"))
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True, db_index=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    tracking = models.CharField(_("tracking"), max_length=300, blank=True, default="", db_default="")
    # A refund came back from the buyer's bank and has not been paid in another way yet.
    is_refund_owed = models.BooleanField(_("owes a refund"), default=False, db_default=False, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(Lower("email"), name="order_email_lower"),
            models.Index(Lower("last_name"), name="order_last_name_lower"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=amounts_fit("subtotal", "discount", "shipping", "total", "vat"), name="order_amounts_fit"
            )
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
        return self.status in (Order.Status.PAID, Order.Status.SENT, Order.Status.PARTIALLY_REFUNDED)

    @property
    def has_gone_back(self) -> bool:
        """Whether the whole sum went back to the buyer, by us or by a bank, or is about to."""
        return self.status in (Order.Status.REFUND_DUE, Order.Status.REFUNDED, Order.Status.CHARGED_BACK)

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
        if self.has_lapsed or self.status == Order.Status.EXPIRED:
            return str(self.get_undone_by_display() or Order.Status.EXPIRED.label)
        return str(self.get_status_display())

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def net(self) -> Decimal:
        return self.total - self.vat

    def pieces(self) -> dict[int, int]:
        """Return how many of which product were ordered, by product id."""
        quantities: dict[int, int] = {}
        for line in self.lines.all():
            quantities[line.product_id] = quantities.get(line.product_id, 0) + line.quantity
        return quantities

    def per_rate(self) -> list[RateTotal]:
        """Return net, VAT and gross for each VAT rate; they add up to the total exactly."""
        return per_rate(
            [(line.vat_rate, line.total) for line in self.lines.all()],
            discount=self.discount,
            shipping=self.shipping,
            currency=self.currency,
        )

    def move(self, to: str, *, actor: User | None = None, note: str | Promise = "", stripe_event: str = "") -> bool:
        """
        Change the status if MOVES allows it from where the row is now, and write the step into the history.

        Returns True only to the one caller whose UPDATE changed the row; everyone else must do nothing.
        """
        target = Order.Status(to)
        changes: dict[str, Any] = {"status": target}
        if target == Order.Status.PAID:
            changes["paid_at"] = timezone.now()
        elif target == Order.Status.SENT:
            changes["sent_at"] = timezone.now()
        with transaction.atomic(savepoint=False):  # who moves it inside a transaction of theirs has both or neither
            if not Order.objects.filter(pk=self.pk, status__in=MOVES[target]).update(**changes):
                return False
            self.remember(note, status=target, actor=actor, stripe_event=stripe_event)
        for name, value in changes.items():
            setattr(self, name, value)
        return True

    def mark_sent(self, *, actor: User | None = None) -> bool:
        """Note that the goods left. An order refunded in part keeps that as its status."""
        if self.move(Order.Status.SENT, actor=actor):
            return True
        waiting = Order.objects.filter(pk=self.pk, status=Order.Status.PARTIALLY_REFUNDED, sent_at=None)
        with transaction.atomic():
            if not waiting.update(sent_at=timezone.now()):
                return False
            self.remember(_("Sent."), actor=actor)
        return True

    def give_up(self, *, by: str, actor: User | None = None) -> bool:
        """Let an unpaid order lapse now. The sweep ends it, which first sees to it that it cannot be paid any more."""
        changes = {"expires_at": timezone.now(), "undone_by": Order.UndoneBy(by)}
        waiting = Order.objects.payable().filter(pk=self.pk)
        with transaction.atomic():
            if not waiting.update(**changes):
                return False
            self.remember(_("Given up before it was paid."), actor=actor)
        for name, value in changes.items():
            setattr(self, name, value)
        return True

    def remember(
        self, note: str | Promise, *, status: str = "", actor: User | None = None, stripe_event: str = ""
    ) -> None:
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
    _S.SENT: frozenset([_S.PAID]),
    _S.EXPIRED: frozenset([_S.AWAITING_PAYMENT, _S.PROCESSING]),
    _S.CANCELLED: frozenset([_S.AWAITING_PAYMENT, _S.PROCESSING]),
    _S.REFUND_DUE: frozenset([_S.EXPIRED, _S.CANCELLED]),
    _S.PARTIALLY_REFUNDED: frozenset([_S.PAID, _S.SENT]),
    _S.REFUNDED: frozenset([_S.PAID, _S.SENT, _S.PARTIALLY_REFUNDED, _S.REFUND_DUE]),
    _S.CHARGED_BACK: frozenset([_S.PAID, _S.SENT, _S.PARTIALLY_REFUNDED]),
}


class OrderLine(models.Model):
    """One product of an order, with its name, price and VAT rate of that moment."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey("shop.Product", on_delete=models.PROTECT, related_name="order_lines")
    name = LineField(_("name"), max_length=200)
    unit_price = models.DecimalField(_("unit price"), max_digits=12, decimal_places=3)
    vat_rate = models.DecimalField(_("VAT rate"), max_digits=5, decimal_places=2)
    quantity = models.PositiveIntegerField(_("quantity"))
    is_digital = models.BooleanField(_("digital"), default=False, db_default=False)
    # Pieces that came back and can be sold again; the order holds the others out of the stock.
    restocked = models.PositiveIntegerField(_("back on the shelf"), default=0, db_default=0, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="order_line_quantity_positive"),
            models.CheckConstraint(condition=amounts_fit("unit_price"), name="order_line_price_fits"),
            models.CheckConstraint(
                condition=models.Q(restocked__lte=models.F("quantity")), name="order_line_restocked_once"
            ),
        ]
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
