"""What orders are made under and may be undone by: shipping rates, buyers' VAT ids, withdrawals."""

from typing import Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from content.plaintext import LineField
from orders.vat_rules import state_of_id

from .orders import Order


class ShippingRate(models.Model):
    """What sending costs to a group of countries; the rate without countries is for all that no other one names."""

    name = LineField(_("name"), max_length=100)
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


class VatIdQuerySet(models.QuerySet["VatId"]):
    def verified(self) -> Self:
        return self.filter(verified_on__isnull=False)

    def waiting(self) -> Self:
        return self.filter(verified_on=None, is_refused=False)

    def note(self, number: str) -> None:
        """Put a member state's VAT id on the list that staff check; one that is on it stays as it is."""
        if state_of_id(number):
            VatId.objects.bulk_create([VatId(number=number)], ignore_conflicts=True)


class VatId(models.Model):
    """A buyer's VAT id of an EU country, and whether staff have found it valid in VIES."""

    number = models.CharField(_("VAT id"), max_length=20, unique=True)
    verified_on = models.DateField(_("found valid on"), null=True, blank=True)
    is_refused = models.BooleanField(_("not valid"), default=False)
    consultation = models.CharField(
        _("VIES consultation number"), max_length=60, blank=True, help_text=_("The proof that VIES gives you.")
    )
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("first used at"), auto_now_add=True)

    objects = VatIdQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(verified_on__isnull=True) | models.Q(is_refused=False),
                name="vat_id_valid_or_not",
                violation_error_message=_("It is either valid or not."),
            )
        ]
        verbose_name = _("VAT id")
        verbose_name_plural = _("VAT ids")

    def __str__(self) -> str:
        return self.number

    @property
    def state_words(self) -> str:
        """What staff know of it."""
        if self.is_refused:
            return gettext("not valid")
        return gettext("valid") if self.verified_on else gettext("not verified")


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
    name = LineField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"))
    order_number = models.CharField(_("order number"), max_length=40)
    note = models.TextField(_("which things, if not all"), max_length=2000, blank=True)
    # Sent after the time the law gives; then it is a request, which the shop may grant.
    is_late = models.BooleanField(_("after the time"), default=False, db_default=False)
    created_at = models.DateTimeField(_("received at"), auto_now_add=True)
    handled_at = models.DateTimeField(_("handled at"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")

    def __str__(self) -> str:
        return f"{self.name}, {self.order_number}"
