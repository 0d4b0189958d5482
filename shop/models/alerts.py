"""Who wants to know when a sold-out product is back."""

import secrets
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from .products import Product


def new_token() -> str:
    """Return 128 random bits for an address that cannot be guessed."""
    return secrets.token_urlsafe(16)


class StockAlertQuerySet(models.QuerySet["StockAlert"]):
    def waiting(self) -> Self:
        """Wishes that are confirmed and not yet answered."""
        return self.filter(confirmed_at__isnull=False, sent_at__isnull=True)

    def due(self) -> Self:
        """
        Wishes whose product can be bought again.

        A subquery and no join: an UPDATE over a join would check `sent_at` in its own subquery only, and PostgreSQL
        does not look at that again after waiting for another worker that has just answered the wish.
        """
        return self.waiting().filter(product__in=Product.objects.on_show().in_stock())


class StockAlert(models.Model):
    """One person's wish to hear once when a product is back; one row, one mail."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="alerts", verbose_name=_("product"))
    email = models.EmailField(_("e-mail"))
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="stock_alerts"
    )
    # Confirms and cancels, from the mail.
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    objects = StockAlertQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                "product", Lower("email"), condition=Q(sent_at__isnull=True), name="stock_alert_once_at_a_time"
            )
        ]
        indexes = [
            models.Index(
                fields=["product"],
                condition=Q(confirmed_at__isnull=False, sent_at__isnull=True),
                name="stock_alert_waiting",
            )
        ]
        verbose_name = _("stock alert")
        verbose_name_plural = _("stock alerts")

    def __str__(self) -> str:
        return f"{self.email}: {self.product_id}"
