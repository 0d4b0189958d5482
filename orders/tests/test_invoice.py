import re
import zlib
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from unittest import mock

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.db import transaction
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from core.tests.clock import stopped
from orders import checks, fonts, invoice
from orders.models import Invoice, Order
from orders.tests.factories import make_item, make_order


def opened(content):
    """Return the PDF's streams unpacked, one after the other."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S)
    return b"\n".join(zlib.decompressobj().decompress(part) if part[:1] == b"x" else part for part in streams)


class IssueTests(TestCase):
    def test_numbers_follow_each_other_and_an_order_gets_one(self):
        first, second = make_order(paid=True), make_order(paid=True)

        assert [invoice.issue(order).number for order in (first, second, first)] == [1, 2, 1]

    def test_content_is_frozen(self):
        order = make_order(lines=[(make_item("10.00", name="Old name"), 2)], paid=True)

        Order.objects.update(last_name="Married", total=Decimal(1))
        order.lines.update(name="New name")

        content = Invoice.objects.get().snapshot
        assert content["buyer"]["name"] == "Ada Byron"
        assert content["lines"][0] == {
            "name": "Old name",
            "quantity": 2,
            "unit_price": "10.00",
            "vat_rate": "19",
            "total": "20.00",
        }
        assert content["rates"] == [{"rate": "19", "net": "16.81", "vat": "3.19", "gross": "20.00"}]

    def test_credit_note_takes_a_number_of_its_own_and_is_written_once_per_refund(self):
        order = make_order(lines=[(make_item("10.00"), 2)], paid=True)

        with transaction.atomic():
            note = invoice.credit(order, Decimal("5.00"), "Torn page", reference="re_1")
            again = invoice.credit(order, Decimal("5.00"), "Torn page", reference="re_1")
            other = invoice.credit(order, Decimal("15.00"), "The rest", reference="re_2")

        assert note == again
        assert (note.number, other.number) == (2, 3)
        assert note.snapshot["rates"] == [{"rate": "19", "net": "4.20", "vat": "0.80", "gross": "5.00"}]
        assert note.snapshot["corrects"] == order.invoices.get(kind="invoice").label
        assert [str(paper) for paper in order.invoices.all()] == [other.label, note.label, note.snapshot["corrects"]]
        assert note.filename == f"credit-note-{note.label}.pdf"

    def test_notes_without_a_name_are_each_a_note_of_their_own(self):
        order = make_order(lines=[(make_item("10.00"), 2)], paid=True)

        with transaction.atomic():
            notes = [invoice.credit(order, Decimal("5.00"), "Torn page") for _ in range(3)]

        assert [note.number for note in notes] == [2, 3, 4]
        assert [note.reference for note in notes] == ["note-1", "note-2", "note-3"]

    def test_a_note_takes_its_number_from_the_year_in_which_it_is_written(self):
        order = make_order(paid=True)
        noon = datetime(2031, 1, 1, 12, tzinfo=timezone.get_current_timezone())

        with stopped(noon), transaction.atomic():
            note = invoice.credit(order, Decimal("5.00"), "Torn page")

        assert (note.label, note.snapshot["date"]) == ("2031-00001", "2031-01-01")


@mock.patch.object(invoice, "delay_on_commit", mock.Mock())
class GaplessTests(TransactionTestCase):
    def test_number_outside_a_transaction_is_refused(self):
        with pytest.raises(transaction.TransactionManagementError):
            invoice.issue(make_order())


class PdfTests(TestCase):
    def test_pdf_is_archivable_kept_and_the_same_next_time(self):  # D3
        paper = make_order(paid=True).invoices.get()

        content = invoice.pdf(paper)

        assert content.startswith(b"%PDF-1.7")
        assert b"pdfaid:part" in opened(content).replace(b" ", b"")
        paper.refresh_from_db()
        assert storages["private"].exists(paper.pdf)
        with mock.patch.object(invoice, "render", side_effect=AssertionError):
            assert invoice.pdf(paper) == content

    def test_what_draws_the_pdf_is_locked_down_to_what_it_draws_with(self):  # D3
        for lock in ("base", "dev", "production"):
            locked = (settings.BASE_DIR / "requirements" / f"{lock}.txt").read_text()
            for name in ("weasyprint", "pydyf"):
                assert f"{name}=={version(name)} " in locked, (lock, name)

    def test_what_drawing_leaves_lying_is_collected_after_every_tenth_invoice(self):
        paper = make_order(paid=True).invoices.get()
        drawing = (mock.patch("weasyprint.HTML"), mock.patch("weasyprint.CSS"))
        with drawing[0], drawing[1], mock.patch("gc.collect") as collected:
            for _ in range(20):
                invoice.render(paper.kind, paper.label, paper.snapshot)

        assert collected.call_count == 2

    def test_the_file_that_was_there_first_stays(self):
        paper = make_order(paid=True).invoices.get()
        late = Invoice.objects.get(pk=paper.pk)
        invoice.pdf(paper)

        invoice.pdf(late)

        assert late.pdf == paper.pdf
        assert storages["private"].listdir(f"invoices/{paper.year}")[1].count(paper.pdf.rpartition("/")[2]) == 1

    def test_marks_that_are_drawn_with_their_letter_are_not_missing(self):
        assert fonts.missing("A\n\tu\u0308\u200d\u00ad") == ""
        assert fonts.missing("B\U00012346A\U00012345\U00012346") == "\U00012345\U00012346"

    def test_lost_file_is_made_again(self):
        paper = make_order(paid=True).invoices.get()
        invoice.pdf(paper)
        storages["private"].delete(paper.pdf)

        with self.assertLogs("orders.invoice", "ERROR"):
            assert invoice.pdf(paper).startswith(b"%PDF")

    def test_letters_that_no_font_has_are_told_to_staff_once(self):
        order = make_order(last_name="Ж\U00012345", paid=True)  # no font has cuneiform
        paper = order.invoices.get()

        with self.assertLogs("orders.invoice", "WARNING") as logs:
            invoice.pdf(paper)
        invoice.pdf(paper)

        assert "\U00012345" in logs.output[0] and "Ж" not in logs.output[0]
        assert order.events.filter(note__contains="boxes").count() == 1

    def test_names_of_europe_and_the_middle_east_can_be_printed_and_the_check_names_the_rest(self):
        covered = set(fonts.SAMPLES) - set(fonts.scripts_missing())

        assert {"Latin", "Greek", "Cyrillic", "Hebrew", "Arabic"} <= covered
        with mock.patch.object(fonts, "missing", lambda text: text if "ก" in text else ""):
            assert "Thai." in checks.every_name_can_be_printed(None)[0].msg

    def test_texts_cannot_make_the_renderer_fetch_anything(self):
        evil = make_item(name='<img src="http://127.0.0.1:9/x"><link rel=attachment href="file:///etc/passwd">')
        paper = make_order(lines=[(evil, 1)], paid=True).invoices.get()

        with mock.patch("urllib.request.OpenerDirector.open") as fetched:
            content = invoice.render(paper.kind, paper.label, paper.snapshot)

        fetched.assert_not_called()
        assert b"root:" not in opened(content)

    def test_many_lines_flow_over_pages(self):
        item = make_item(name="A thing with a rather long name, " * 6)
        paper = make_order(lines=[(item, 1)] * 40, paid=True).invoices.get()

        content = invoice.render(paper.kind, paper.label, paper.snapshot)

        assert len(re.findall(rb"/Type\s*/Page\b", opened(content))) > 2
        assert b"/FontFile" in opened(content)
