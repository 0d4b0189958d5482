"""Buyers' withdrawals, also those whose order nobody could find."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from content.plaintext import LineField

from .orders import Order


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
