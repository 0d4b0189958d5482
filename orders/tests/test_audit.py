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

    def test_each_years_numbers_are_counted_without_a_gap(self):
        year = Invoice.objects.first().year
        for numbers, last, found in [
            ((1, 2), 2, []),
            ((1, 2), 3, [f"{year}: the counter stands at 3, the last invoice is 2"]),
            ((1, 2), 1, [f"{year}: the counter stands at 1, the last invoice is 2"]),
            ((1, 3), 3, [f"{year}: invoice number 2 is missing, 3 follows"]),
            ((2, 3), 3, [f"{year}: invoice number 1 is missing, 2 follows"]),
            ((1, 2), None, [f"{year}: the counter stands at 0, the last invoice is 2"]),
        ]:
            with transaction.atomic():
                for paper, number in zip(Invoice.objects.order_by("-number"), reversed(numbers), strict=True):
                    Invoice.objects.filter(pk=paper.pk).update(number=number)
                if last is None:
                    InvoiceCounter.objects.all().delete()
                InvoiceCounter.objects.update(last=last or 0)
                assert list(audit.numbers()) == found, (numbers, last)
                transaction.set_rollback(True)
        InvoiceCounter.objects.create(year=1999, last=0)
        assert list(audit.numbers()) == []
        InvoiceCounter.objects.filter(year=1999).update(last=1)
        assert list(audit.numbers()) == ["1999: the counter stands at 1, the last invoice is 0"]

    def test_an_order_has_its_papers_when_it_is_paid_and_only_then(self):
        """What has gone back may have an invoice or not: the money may have come too late to be booked."""
        for status in Order.Status:
            Order.objects.update(status=status)
            is_paid = status in ("paid", "fulfilled", "partially_refunded")
            has_gone_back = status in ("refund_due", "refunded", "charged_back")
            found = [f"Order {self.waiting.pk} is {status} and has 0 invoices"] if is_paid else []
            if not is_paid and not has_gone_back:
                found = [f"Order {self.paid.pk} is {status} and has 1 invoices"]
            assert list(audit.paid_orders_have_one_invoice()) == found, status

    def test_notes_are_never_over_more_than_the_order(self):
        Order.objects.filter(pk=self.paid.pk).update(total=Decimal("5.00"))
        assert list(audit.paid_orders_have_one_invoice()) == []

        Order.objects.filter(pk=self.paid.pk).update(total=Decimal("4.99"))
        assert len(list(audit.paid_orders_have_one_invoice())) == 1

    def test_what_bears_no_vat_has_a_reason_that_fits(self):
        paid = Order.objects.filter(pk=self.paid.pk)
        paid.update(vat=0, vat_id="ATU12345678", country="AT")
        without = f"Order {self.paid.pk} carries no VAT and has no VAT id of its country"
        bears = "Order {} should carry no VAT ({}) and does"
        for relief, vat, rate, country, found in [
            ("", 1, 19, "DE", []),
            ("intra_eu", 0, 0, "AT", []),
            ("intra_eu", 0, 0, "FR", [without]),
            ("export", 0, 0, "CH", []),
            ("export", 1, 0, "CH", [bears.format(self.paid.pk, "export")]),
            ("export", 0, 19, "CH", [bears.format(self.paid.pk, "export")]),
            ("intra_eu", 0, 19, "AT", [bears.format(self.paid.pk, "intra_eu")]),
        ]:
            paid.update(vat_relief=relief, vat=vat, country=country)
            self.paid.lines.update(vat_rate=rate)
            assert list(audit.orders_without_vat_say_why()) == found, (relief, vat, rate, country)

    def test_what_is_printed_adds_up(self):
        paper = Invoice.objects.get(kind="invoice")
        kept = paper.snapshot["rates"]
        first = kept[0]
        cent = Decimal("0.01")
        for changes, sentences in [
            ({}, 0),
            ({"gross": str(Decimal(first["gross"]) + cent), "net": str(Decimal(first["net"]) + cent)}, 1),
            ({"vat": str(Decimal(first["vat"]) + cent)}, 1),
            ({"gross": str(Decimal(first["gross"]) - cent)}, 2),
        ]:
            Invoice.objects.filter(pk=paper.pk).update(snapshot={"rates": [first | changes, *kept[1:]]})
            assert len(list(audit.papers_say_what_the_order_says())) == sentences, changes

    def test_notes_take_no_more_of_a_rate_than_the_invoice_has(self):
        paper, note = Invoice.objects.get(kind="invoice"), Invoice.objects.get(kind="credit_note")
        [rate, *_rest] = paper.snapshot["rates"]
        zero = {"rate": rate["rate"], "net": "0.00", "vat": "0.00", "gross": "0.00"}
        for row, is_right in [
            (zero, True),
            (rate, True),
            (zero | {"net": "99.00"}, False),
            (zero | {"vat": "99.00"}, False),
            (zero | {"gross": "99.00"}, False),
            (rate | {"vat": "0.00"}, False),
            (rate | {"gross": "0.00"}, True),
        ]:
            Invoice.objects.filter(pk=note.pk).update(snapshot={"rates": [row]})
            assert (list(audit.credit_notes_correct_their_invoice()) == []) == is_right, row

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
        sentence = f"Order {self.waiting.pk} has lapsed and still holds stock"
        for status in Order.Status:
            Order.objects.filter(pk=self.waiting.pk).update(status=status)
            found = [sentence] if status in ("expired", "cancelled") else []
            assert list(audit.lapsed_orders_hold_nothing()) == found, status
        Order.objects.update(status="expired", holds_stock=False)
        assert list(audit.lapsed_orders_hold_nothing()) == []

    def test_books_of_more_rows_than_are_looked_at_at_once(self):
        more = [make_order() for _ in range(4)]
        Order.objects.filter(pk__in=[order.pk for order in more]).update(vat=Decimal("0.01"))

        with mock.patch.object(audit, "CHUNK", 2):
            found = list(audit.orders_add_up())

        assert found == [f"Order {order.pk}: the VAT of its rates is not 0.010" for order in more]
