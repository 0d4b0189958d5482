"""What was bought together; written by recommender.py alone."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .products import Product


class Basket(models.Model):
    """What one paid order held, waiting to be counted into BoughtTogether or counted."""

    # A number and no foreign key: the shop lies below the orders and does not know their tables.
    order_id = models.PositiveBigIntegerField(_("order"), unique=True)
    product_ids: Any = models.JSONField(_("products"))
    counted_at = models.DateTimeField(_("counted at"), null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(counted_at__isnull=True), name="basket_waiting")]
        verbose_name = _("paid basket")
        verbose_name_plural = _("paid baskets")

    def __str__(self) -> str:
        return f"#{self.order_id}"


class BoughtTogether(models.Model):
    """How many paid orders held both products; written by recommender.py alone, in both directions."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="companions")
    other = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="bought_with")
    score = models.PositiveIntegerField(_("orders"), default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "other"], name="bought_together_once")]
        verbose_name = _("bought together")
        verbose_name_plural = _("bought together")

    def __str__(self) -> str:
        return f"{self.product_id} with {self.other_id}: {self.score}"
