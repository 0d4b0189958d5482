"""What the law wants to be in writing: the terms with the confirmation, the seller's number and the day of supply."""

import re
from decimal import Decimal
from io import BytesIO

from django.core.files.base import ContentFile
from django.db import transaction
from django.test import TestCase, override_settings
from django.utils import timezone
from pypdf import PdfReader

from mail.models import OutgoingMail
from orders import checks, invoice, mails
from orders.models import Order
from orders.tests.factories import make_item, make_order
from orders.tests.test_order_create import CREATE, CheckoutCase

SELLER = {
    "SELLER_NAME": "Mill Press",
    "SELLER_ADDRESS": "1 Mill Lane\n12345 Milltown",
    "SELLER_EMAIL": "post@mill.example",
}


@override_settings(**SELLER)
class ConfirmationTests(CheckoutCase):
    """Art. 8 (7) Directive 2011/83/EU: on something that lasts, so the words themselves and no link to them."""

    def halves(self):
        self.fill_cart(make_item())
        self.order()
        mail = OutgoingMail.objects.get(kind="order-confirmation")
        return mail.text, " ".join(re.sub("<[^>]+>", " ", mail.html).split())

    def test_it_carries_terms_withdrawal_notice_model_form_and_the_sellers_address(self):
        for text in self.halves():
            for words in (
                "1 Mill Lane",
                "12345 Milltown",
                "post@mill.example",
                "Prices include VAT",
                "You have the right to withdraw from this contract within 14 days",
                "complete and return this form only if you wish to withdraw",
                "I/We (*) hereby give notice",
                "/orders/withdrawal/",
            ):
                assert words in text, words

    def test_the_plain_half_is_plain(self):
        text, _html = self.halves()

        assert not re.search(r"</?\w+>|&\w+;|\n{3,}", text)

    @override_settings(WITHDRAWAL_FORM=False)
    def test_who_sells_to_companies_only_sends_no_withdrawal_notice(self):
        for text in self.halves():
            assert "right to withdraw" not in text


class DownloadMailTests(TestCase):
    def test_the_mail_of_a_download_links_the_file(self):
        file, print_ = make_item(name="Pattern", is_digital=True), make_item(name="Print")
        file.download.save("pattern.pdf", ContentFile(b"%PDF-"))
        self.addCleanup(file.download.delete)
        order = make_order(lines=[(file, 1), (print_, 1)], paid=True)
        order.lines.filter(product=file).update(is_digital=True)

        with transaction.atomic():
            mails.invoice(order, order.invoices.get())

        mail = OutgoingMail.objects.get(kind="invoice")
        line = order.lines.get(product=file)
        address = f"/orders/{order.token}/download/{line.pk}/"
        assert f"Pattern: http://127.0.0.1:8000{address}" in mail.text
        assert f'{address}">Pattern</a>' in mail.html
        assert "Print: http" not in mail.text
        assert b"".join(self.client.get(address).streaming_content) == b"%PDF-"


class InvoiceTests(TestCase):
    def printed(self, order):
        paper = order.invoices.get()
        pages = PdfReader(BytesIO(invoice.render(paper.kind, paper.label, paper.snapshot))).pages
        return " ".join(" ".join(page.extract_text() for page in pages).split())

    def test_goods_that_are_not_sent_yet_are_not_said_to_be_supplied(self):
        text = self.printed(make_order(paid=True))

        assert "Paid in advance" in text
        assert "day on which the goods leave us" in text
        assert "date of this invoice" not in text

    def test_files_are_supplied_when_they_are_paid(self):
        order = make_order()
        order.lines.update(is_digital=True)
        Order.objects.update(paid_at="2026-03-09T12:00:00Z", status="paid")
        order.refresh_from_db()
        with transaction.atomic():
            invoice.issue(order)

        assert "date of supply is 9 March 2026" in self.printed(order)

    def test_goods_that_were_sent_first_are_supplied_on_that_day(self):
        order = make_order(sent_at=timezone.datetime(2026, 3, 10, 12, tzinfo=timezone.get_current_timezone()))
        with transaction.atomic():
            invoice.issue(order)

        assert "date of supply is 10 March 2026" in self.printed(order)

    def test_an_invoice_of_before_is_printed_as_it_was(self):
        paper = make_order(paid=True).invoices.get()
        content = {name: value for name, value in paper.snapshot.items() if name != "supply"}

        text = " ".join(
            page.extract_text() for page in PdfReader(BytesIO(invoice.render("invoice", paper.label, content))).pages
        )

        assert "date of supply is the date of this invoice" in " ".join(text.split())

    @override_settings(SELLER_VAT_ID="", SELLER_TAX_NUMBER="12/345/67890")
    def test_the_tax_number_stands_where_there_is_no_vat_id(self):
        text = self.printed(make_order(paid=True))

        assert "Tax number 12/345/67890" in text
        assert "VAT id" not in text

    def test_a_line_at_no_vat_is_explained(self):
        lines = [(make_item(vat_rate="0"), 1), (make_item(), 1)]

        assert "exempt from VAT" in self.printed(make_order(lines=lines, paid=True))
        with override_settings(VAT_ZERO_NOTE="Books are free of VAT, § 4."):
            assert "Books are free of VAT, § 4." in self.printed(make_order(lines=lines, paid=True))
        assert "exempt" not in self.printed(make_order(paid=True))


@override_settings(SELLER_CHARGES_VAT=False)
class SmallSellerTests(CheckoutCase):
    def test_everything_is_sold_at_the_same_price_without_vat_and_the_invoice_says_why(self):
        self.fill_cart(make_item("11.90"))
        page = self.shown()
        self.assertNotContains(page, "VAT included")
        self.assertNotContains(self.client.get("/cart/"), "VAT included")

        self.client.post(CREATE, self.fields())

        order = Order.objects.get()
        assert (order.total, order.vat, order.lines.get().vat_rate) == (Decimal("11.90"), 0, 0)
        with transaction.atomic():
            [note] = invoice.issue(order).snapshot["vat_notes"]
        assert "Art. 284" in note


class CheckTests(TestCase):
    def test_vat_without_the_sellers_number_is_refused_in_a_sentence(self):
        with override_settings(SELLER_VAT_ID="", SELLER_TAX_NUMBER=""):
            [refusal] = checks.seller_can_charge_vat(None)
            assert "SELLER_VAT_ID or SELLER_TAX_NUMBER must be set" in refusal.msg
            with override_settings(SELLER_CHARGES_VAT=False):
                assert checks.seller_can_charge_vat(None) == []
        for name in ("SELLER_VAT_ID", "SELLER_TAX_NUMBER"):
            with override_settings(**{"SELLER_VAT_ID": "", "SELLER_TAX_NUMBER": ""} | {name: "1"}):
                assert checks.seller_can_charge_vat(None) == []


class LayoutTests(TestCase):
    """Every text of an invoice's first page has a place of its own."""

    def lines(self, **contact):
        """Return the page's lines of text with how far from its top they stand."""
        paper = make_order(**contact, paid=True).invoices.get()
        found = {}
        page = PdfReader(BytesIO(invoice.render(paper.kind, paper.label, paper.snapshot))).pages[0]
        page.extract_text(visitor_text=lambda text, _matrix, at, *_font: found.setdefault(text.strip(), at[5]))
        return found, f"Invoice {paper.label}"

    def test_a_long_address_pushes_the_heading_down(self):
        lines, heading = self.lines(
            address="\n".join(f"Line {number}" for number in range(1, 12)), company="Byron & Co"
        )

        assert lines["Line 11"] < lines["Germany"] < lines[heading] - 20

    def test_a_short_address_leaves_the_heading_where_it_is(self):
        one, heading = self.lines()
        other, second = self.lines(address="Hall\n12 Lane")

        assert one[heading] == other[second]

    def test_a_word_longer_than_the_address_is_broken(self):
        lines, _heading = self.lines(city="W" * 60)

        assert len([line for line in lines if "WWW" in line]) > 1
