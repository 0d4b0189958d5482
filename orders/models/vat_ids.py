"""Buyers' VAT ids, and what staff found out about them."""

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.vat_rules import state_of_id


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
