"""Credit notes of one invoice add up to it, rate by rate, whatever was given back in which steps."""

from decimal import Decimal

from django.db import transaction
from django.test import TestCase
from hypothesis import given
from hypothesis import strategies as st

from orders import audit, invoice
from orders.models import Invoice
from orders.tests.factories import make_item, make_order
from orders.totals import left_of, per_rate, portion, share

CENTS = st.integers(1, 5_000_00).map(lambda cents: Decimal(cents) / 100)
RATES = st.sampled_from([Decimal(rate) for rate in ("0", "2.1", "5.5", "7", "19", "20", "25", "27")])


def given_back_in_steps(rows, steps, currency="EUR"):
    """Return the rows of all credit notes when these shares of a thousand of what is left go back, and then the rest."""
    notes = []
    for step in [*steps, 1000]:
        left = left_of(rows, notes)
        amount = share(sum(row.gross for row in left), [Decimal(step), Decimal(1000 - step)], currency)[0]
        notes += portion(left, amount, currency)
    return notes


@given(
    st.lists(st.tuples(RATES, CENTS), min_size=1, max_size=6),
    CENTS,
    CENTS,
    st.lists(st.integers(0, 999), max_size=12),
)
def test_any_refunds_sum_to_the_invoice_rate_by_rate(lines, discount, shipping, steps):
    goods = sum(gross for _rate, gross in lines)
    rows = per_rate(lines, discount=min(discount, goods), shipping=shipping, currency="EUR")

    notes = given_back_in_steps(rows, steps)

    for row in rows:
        of_rate = [note for note in notes if note.rate == row.rate]
        for name in ("net", "vat", "gross"):
            assert sum(getattr(note, name) for note in of_rate) == getattr(row, name)
    for note in notes:
        assert note.net + note.vat == note.gross
        assert min(note.net, note.vat) >= 0
        lawful = note.gross * note.rate / (100 + note.rate)
        assert abs(note.vat - lawful) <= Decimal("0.01")


@transaction.atomic
def credit(order, amount, *, reference):
    return invoice.credit(order, amount, "Torn", reference=reference)


class CreditNoteTests(TestCase):
    def setUp(self):
        lines = [(make_item("9.99"), 3), (make_item("8.50", vat_rate="7"), 2), (make_item("1.00", vat_rate="0"), 1)]
        self.order = make_order(lines=lines, discount="3.33", paid=True)
        self.paper = self.order.invoices.get()

    def credit(self, *amounts):
        for number, amount in enumerate(amounts):
            credit(self.order, Decimal(amount), reference=f"re_{number}")
        return list(self.order.invoices.filter(kind=Invoice.Kind.CREDIT_NOTE).order_by("number"))

    def vat(self, notes):
        return sum(row.vat for note in notes for row in invoice.rates_of(note))

    def test_parts_and_the_rest_have_the_vat_of_the_invoice(self):
        rest = self.order.total - 15
        notes = self.credit("5.00", "5.00", "5.00", rest)

        assert self.vat(notes) == self.order.vat
        assert sum(note.total for note in notes) == self.order.total
        assert list(audit.credit_notes_correct_their_invoice()) == []

    def test_a_rate_of_which_nothing_is_left_is_not_on_the_last_note(self):
        order = make_order(lines=[(make_item("0.01", vat_rate="0"), 1), (make_item("10.00"), 1)], paid=True)
        credit(order, Decimal("10.00"), reference="a")
        last = credit(order, Decimal("0.01"), reference="b")

        assert len(last.snapshot["rates"]) == 1

    def test_the_audit_names_notes_that_leave_vat_behind(self):
        """As those did that were split one by one: 6.06 of 6.11 were given back."""
        [note] = self.credit(self.order.total)
        content = note.snapshot
        content["rates"][0] |= {
            "vat": str(Decimal(content["rates"][0]["vat"]) - Decimal("0.05")),
            "net": str(Decimal(content["rates"][0]["net"]) + Decimal("0.05")),
        }
        Invoice.objects.filter(pk=note.pk).update(snapshot=content)

        [found] = audit.credit_notes_correct_their_invoice()

        assert "leave 0.00 with 0.05 VAT at 19 %" in found
