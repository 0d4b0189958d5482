"""Staff give back things, not only amounts: what was paid for them, with the VAT that was on them."""

from decimal import Decimal

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from account.tests.factories import make_user
from orders import audit, invoice, returns, stock
from orders.models import Order
from orders.returns import Things
from orders.tests.factories import make_item, make_order
from payment import refunds
from payment.tests.stand_in import StripeTestCase


class WorthTests(HypothesisTestCase):
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.tuples(st.integers(1, 99999), st.integers(1, 5), st.sampled_from(["0", "7", "19"])),
            min_size=1,
            max_size=4,
        ),
        st.integers(0, 30000),
        st.integers(0, 2000),
        st.randoms(use_true_random=False),
    )
    def test_all_things_in_any_order_are_the_invoice_rate_by_rate(self, lines, discount, shipping, random):
        goods = sum(cents * quantity for cents, quantity, _rate in lines)
        items = [(make_item(str(Decimal(cents) / 100), vat_rate=rate), many) for cents, many, rate in lines]
        off, more = Decimal(min(discount, goods)) / 100, Decimal(shipping) / 100
        order = make_order(lines=items, discount=str(off), shipping=more, total=Decimal(goods) / 100 - off + more)
        order.vat = sum(row.vat for row in order.per_rate())
        order.save()
        with transaction.atomic():
            invoice.issue(order)
        steps = [Things({line.pk: 1}) for line in order.lines.all() for _ in range(line.quantity)]
        steps += [Things(shipping=True)] if shipping else []
        random.shuffle(steps)

        given_back = Things()
        for number, things in enumerate(steps):
            assert returns.are_there(order, things, before=given_back)
            worth = returns.worth(order, things, before=given_back)
            given_back = Things.together([given_back, things])
            amount = sum(worth.values())
            with transaction.atomic():
                note = invoice.credit(order, amount, "Back", reference=f"re_{number}", wanted=worth)
            rates = {row.rate: row.gross for row in invoice.rates_of(note)}
            assert rates == {rate: gross for rate, gross in worth.items() if gross}

        assert list(audit.credit_notes_correct_their_invoice()) == []
        papers = order.invoices.all()
        assert sum(note.total for note in papers if note.reference) == order.total
        left = [row for paper in papers if paper.reference for row in invoice.rates_of(paper)]
        assert sum(row.vat for row in left) == order.vat
        assert not any(returns.are_there(order, Things({line.pk: 1}), before=given_back) for line in order.lines.all())


class ThingsPageTests(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.book, self.pen = make_item("20.00", stock=5, vat_rate="7"), make_item("10.00", stock=5)
        self.order = self.paid_order(
            lines=[(self.book, 2), (self.pen, 1)], discount="5.00", shipping=Decimal(5), total=Decimal(50)
        )
        self.payment = self.order.payments.get()
        self.line, self.other = self.order.lines.all()
        self.url = reverse("payment:refund", args=[self.order.pk])
        self.client.force_login(make_user("staff", staff=True))

    def post(self, **fields):
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(
                self.url,
                {"payment": self.payment.pk, "reason": "Sent back", **fields},
                headers={"Sec-Fetch-Site": "same-origin"},
            )

    def confirm(self, key="once", **fields):
        return self.post(confirmed="yes", key=key, **fields)

    def note(self):
        return self.order.invoices.filter(kind="credit_note").first()

    def test_a_piece_is_worth_what_was_paid_for_it_and_bears_its_own_vat(self):
        page = self.post(**{f"line_{self.line.pk}": "1"})
        self.assertContains(page, "Refund €18.00")  # 20.00 less a tenth
        self.assertContains(page, f"<li>1 × {self.line.name}</li>")

        self.confirm(**{f"line_{self.line.pk}": "1"})

        assert [(row.rate, row.gross) for row in invoice.rates_of(self.note())] == [(7, 18)]
        assert [refund["amount"] for refund in self.simulator.ledger.refunds.values()] == [1800]

    def test_what_the_page_asks_back_is_what_was_chosen(self):
        page = self.post(**{f"line_{self.line.pk}": "1", "shipping": "on"})

        self.assertContains(page, f'<input type="hidden" name="line_{self.line.pk}" value="1"')
        self.assertContains(page, "Refund €23.00")
        self.confirm(**{f"line_{self.line.pk}": "1", f"line_{self.other.pk}": "", "shipping": "True", "amount": ""})
        assert self.note().total == 23

    def test_everything_piece_by_piece_is_the_whole_payment(self):
        for number, fields in enumerate(
            [
                {f"line_{self.line.pk}": "1"},
                {f"line_{self.other.pk}": "1", "shipping": "on"},
                {f"line_{self.line.pk}": "1"},
            ]
        ):
            self.confirm(key=f"k{number}", **fields)

        self.order.refresh_from_db()
        assert self.order.status == Order.Status.REFUNDED
        notes = self.order.invoices.filter(kind="credit_note")
        assert sum(row.vat for note in notes for row in invoice.rates_of(note)) == self.order.vat

    def test_a_piece_goes_back_on_the_shelf_once(self):
        self.confirm(restocks="on", **{f"line_{self.line.pk}": "1"})
        self.book.refresh_from_db()
        held = self.book.stock

        self.confirm(key="rest", restocks="on", amount="32.00")

        self.book.refresh_from_db()
        self.pen.refresh_from_db()
        self.line.refresh_from_db()
        assert (held, self.line.restocked) == (6, 1)
        assert (self.book.stock, self.pen.stock) == (7, 6)

    def test_a_piece_goes_back_once(self):
        self.confirm(**{f"line_{self.other.pk}": "1"})

        assert self.post(**{f"line_{self.other.pk}": "1"}).status_code == 422
        with pytest.raises(refunds.TooMuch):
            refunds.request(self.payment, amount=900, key="x", reason="", things=Things({self.other.pk: 1}))

    def test_as_many_pieces_are_offered_as_are_left_and_the_shipping_once(self):
        page = self.client.get(self.url)
        self.assertContains(page, f'name="line_{self.line.pk}" min="0" max="2"')
        self.assertContains(page, "of 2, at €20.00 each")
        self.assertContains(page, "Shipping, €5.00")

        self.confirm(**{f"line_{self.line.pk}": "1", f"line_{self.other.pk}": "1", "shipping": "on"})

        page = self.client.get(self.url)
        self.assertContains(page, f'name="line_{self.line.pk}" min="0" max="1"')
        self.assertNotContains(page, f"line_{self.other.pk}")
        self.assertNotContains(page, "Shipping, €5.00")

    def test_none_of_one_thing_and_one_of_another(self):
        page = self.post(**{f"line_{self.line.pk}": "0", f"line_{self.other.pk}": "1"})

        self.assertContains(page, "Refund €9.00")

    def test_an_order_without_shipping_and_a_payment_that_was_not_accepted_have_less_to_choose(self):
        Order.objects.update(shipping=0)
        self.assertNotContains(self.client.get(self.url), "Shipping")

        type(self.payment).objects.update(is_accepted=False)
        self.assertNotContains(self.client.get(self.url), "line_")

    def test_a_thing_that_was_worth_nothing_cannot_go_back_alone(self):
        self.order.lines.filter(pk=self.other.pk).update(unit_price=0)

        assert self.post(**{f"line_{self.other.pk}": "1"}).status_code == 422

    def test_senseless_choices_show_the_form_again(self):
        line = f"line_{self.line.pk}"
        for fields in [{}, {line: "3"}, {line: "-1"}, {line: "0"}, {line: "x"}, {line: "1", "amount": "5.00"}]:
            assert self.post(**fields).status_code == 422, fields
        assert not self.simulator.ledger.refunds

    def test_things_worth_more_than_is_left_of_the_payment_are_refused_in_words(self):
        self.confirm(amount="45.00")

        self.assertContains(self.post(**{f"line_{self.line.pk}": "1"}), "type an amount instead", status_code=422)

    def test_things_after_an_amount_still_add_up(self):
        self.confirm(key="a", amount="30.00")
        self.confirm(key="b", **{f"line_{self.line.pk}": "1"})
        self.confirm(key="c", amount="2.00")

        notes = self.order.invoices.filter(kind="credit_note")
        assert sum(row.vat for note in notes for row in invoice.rates_of(note)) == self.order.vat
        assert list(audit.credit_notes_correct_their_invoice()) == []


class PutBackTests(StripeTestCase):
    def test_more_pieces_than_were_ordered_never_come_back(self):
        book = make_item(stock=0)
        order = make_order(lines=[(book, 2)])
        line = order.lines.get()

        for _ in range(3):
            stock.put_back(order, {line.pk: 1})
        stock.release(Order.objects.get(pk=order.pk))

        book.refresh_from_db()
        assert book.stock == 2
