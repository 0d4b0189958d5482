import io
from decimal import Decimal
from unittest import mock

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import TestCase

from orders import audit, invoice
from orders.models import Invoice, InvoiceCounter, Order
from orders.tests.factories import make_item, make_order

# payment adds checks of its own, and these orders were never paid through it.
OURS = [check for check in audit._checks if check.__module__ == audit.__name__]


@mock.patch.object(audit, "_checks", OURS)
class AuditTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.paid = make_order(lines=[(make_item("9.99"), 3), (make_item("1.01", vat_rate="7"), 1)], paid=True)
        cls.waiting = make_order()
        with transaction.atomic():
            invoice.credit(cls.paid, Decimal("5.00"), "Torn")

    def found(self) -> str:
        return "\n".join(audit.problems())

    def test_clean_books(self):
        out = io.StringIO()

        call_command("audit_books", "--files", stdout=out)

        assert "2 orders and 2 invoices: the books are right." in out.getvalue()

    def test_missing_number(self):
        Invoice.objects.filter(number=2).update(number=3)

        assert "invoice number 2 is missing" in self.found()

    def test_counter_behind(self):
        InvoiceCounter.objects.update(last=1)

        with pytest.raises(CommandError):
            call_command("audit_books", stdout=io.StringIO())

    def test_changed_amounts(self):
        Order.objects.filter(pk=self.paid.pk).update(total=Decimal(1), vat=Decimal(9))
        self.waiting.lines.update(quantity=7)

        found = self.found()

        assert f"Order {self.paid.pk}: its parts" in found
        assert f"Order {self.paid.pk}: the VAT" in found
        assert f"Order {self.waiting.pk}: its lines" in found
        assert "its order over 1" in found

    def test_paid_without_invoice_and_the_other_way_round(self):
        Order.objects.filter(pk=self.waiting.pk).update(status="paid")
        Order.objects.filter(pk=self.paid.pk).update(status="awaiting_payment")

        found = self.found()

        assert f"Order {self.waiting.pk} is paid and has 0 invoices" in found
        assert f"Order {self.paid.pk} is awaiting_payment and has 1 invoices" in found

    def test_edited_paper(self):
        paper = Invoice.objects.get(kind="invoice")
        paper.snapshot["rates"][0]["net"] = "0.01"
        paper.save()

        assert "net and VAT do not make gross" in self.found()

    def test_changed_or_lost_file(self):
        storage = storages["private"]
        name = storage.save("invoices/test.pdf", ContentFile(b"forged"))
        Invoice.objects.filter(kind="invoice").update(pdf=name, sha256="0" * 64)
        Invoice.objects.filter(kind="credit_note").update(pdf="invoices/nowhere.pdf", sha256="0" * 64)

        assert [problem.rpartition(" ")[2] for problem in audit.files()] == ["changed", "gone"]

    def test_lapsed_order_that_kept_its_stock(self):
        self.waiting.move(Order.Status.EXPIRED)

        assert "still holds stock" in self.found()
