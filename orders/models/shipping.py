"""What sending costs, by country; orders/shipping_cost.py works it out."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from content.plaintext import LineField


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
