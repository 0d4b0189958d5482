"""Invoices and credit notes, and their gapless numbers."""

import re
from typing import Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .orders import Order, amounts_fit


class InvoiceCounter(models.Model):
    """The last number given in a year. Raised in the transaction that uses the number, so no gap stays."""

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
            models.CheckConstraint(condition=amounts_fit("total"), name="invoice_total_fits"),
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
        """What is printed on it, and stands in its address and its file's name: `labelled` finds it by this."""
        return f"{self.year}-{self.number:05d}"

    @property
    def filename(self) -> str:
        return f"{self.kind.replace('_', '-')}-{self.label}.pdf"
