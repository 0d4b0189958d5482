"""What of the cart outlives a session: coupons, their uses, and a member's saved cart."""

from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.money import payable, validate_price


class CouponQuerySet(models.QuerySet["Coupon"]):
    def usable(self) -> Self:
        """Coupons that are switched on, in their window, and not used up."""
        now = timezone.now()
        return self.unspent().filter(
            Q(valid_from__lte=now), Q(valid_to__isnull=True) | Q(valid_to__gt=now), is_active=True
        )

    def unspent(self) -> Self:
        """Coupons with a use left, whatever their window says."""
        return self.filter(Q(max_uses__isnull=True) | Q(used__lt=F("max_uses")))

    def coded(self, code: str) -> Self:
        """The coupon of a code as a person typed it: letter case and outer spaces do not matter."""
        return self.filter(code=code.strip().upper())

    def count_use(self, coupon_id: int, *, is_late: bool = False) -> bool:
        """Count one use and return True, or False when none is left; one guarded UPDATE, so uses cannot race."""
        return (self.unspent() if is_late else self.usable()).filter(pk=coupon_id).update(used=F("used") + 1) == 1

    def give_back(self, coupon_id: int) -> None:
        self.filter(pk=coupon_id, used__gt=0).update(used=F("used") - 1)


class Coupon(models.Model):
    """A code that lowers a cart's total, by a share or by an amount."""

    # Kept in capitals, so that SUMMER and summer cannot be two coupons.
    code = models.CharField(
        _("code"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]+$", _("Letters, digits, - and _."))],
    )
    percent = models.DecimalField(
        _("percent off"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(100)],
    )
    amount = models.DecimalField(
        _("amount off"), max_digits=12, decimal_places=3, null=True, blank=True, validators=[validate_price]
    )
    minimum = models.DecimalField(
        _("least value of the cart"),
        max_digits=12,
        decimal_places=3,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    valid_from = models.DateTimeField(_("valid from"), default=timezone.now)
    valid_to = models.DateTimeField(_("valid until"), null=True, blank=True)
    max_uses = models.PositiveIntegerField(_("uses in all"), null=True, blank=True, help_text=_("Empty: no limit."))
    max_uses_each = models.PositiveIntegerField(
        _("uses per customer"), null=True, blank=True, default=1, help_text=_("Empty: no limit.")
    )
    used = models.PositiveIntegerField(_("used"), default=0, editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    objects = CouponQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(code=Upper("code")), name="coupon_code_in_capitals"),
            models.CheckConstraint(
                condition=Q(percent__isnull=True, amount__isnull=False, amount__gt=0)
                | Q(amount__isnull=True, percent__isnull=False, percent__gt=0, percent__lte=100),
                name="coupon_percent_or_amount",
                violation_error_message=_("Give either a percentage or an amount."),
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="coupon_ends_after_it_begins",
                violation_error_message=_("The end comes after the beginning."),
            ),
            models.CheckConstraint(
                condition=Q(max_uses__isnull=True) | Q(used__lte=F("max_uses")), name="coupon_not_overused"
            ),
        ]
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        self.code = self.code.upper()

    def discount(self, subtotal: Decimal) -> Decimal:
        """Return what is taken off, rounded here and nowhere else, and never more than the subtotal."""
        off = self.amount if self.amount is not None else subtotal * (self.percent or 0) / 100
        return payable(min(off, subtotal))


class CouponUse(models.Model):
    """One use of a coupon by one order; the unique keys hold what the counting checks."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="uses")
    # A number and no foreign key: the cart lies below the orders and does not know their tables.
    order_id = models.PositiveBigIntegerField(_("order"), unique=True)
    email = models.EmailField(_("e-mail"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="coupon_uses"
    )
    nth = models.PositiveIntegerField(_("this customer's use number"), default=1)
    used_at = models.DateTimeField(_("used at"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["coupon", "email", "nth"], name="coupon_use_once_per_address"),
            models.UniqueConstraint(
                fields=["coupon", "user", "nth"], condition=Q(user__isnull=False), name="coupon_use_once_per_member"
            ),
        ]
        verbose_name = _("coupon use")
        verbose_name_plural = _("coupon uses")

    def __str__(self) -> str:
        return f"{self.coupon_id} by {self.email}"


class SavedCart(models.Model):
    """A member's cart as it was last changed, to be joined with the visitor's at the next login."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_cart")
    # The same shape as in the session: {"<product id>": {"quantity": 2, "price": "12.50"}}.
    items: Any = models.JSONField(default=dict)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("saved cart")
        verbose_name_plural = _("saved carts")

    def __str__(self) -> str:
        return f"{self.owner_id}"
