from decimal import Decimal

import pytest
from django.test import TestCase
from django.utils import timezone

from core.tests.clock import MOMENT, stopped
from orders import stock, totals
from orders.models import MOVES, Order
from orders.tests.factories import make_item, make_order

S = Order.Status


class MoveTests(TestCase):
    def test_every_move_outside_the_table_is_refused(self):
        order = make_order()

        for start in S:
            for to in S:
                Order.objects.filter(pk=order.pk).update(status=start)
                assert order.move(to) is (start in MOVES[to]), f"{start} -> {to}"

    def test_only_the_first_of_two_wins_and_writes_history(self):
        order = make_order()
        same = Order.objects.get(pk=order.pk)

        assert order.move(S.PAID, note="Stripe says so.", stripe_event="evt_1") is True
        assert same.move(S.PAID, stripe_event="evt_2") is False

        step = order.events.last()
        assert (step.status, step.note, step.stripe_event, order.events.count()) == (
            "paid",
            "Stripe says so.",
            "evt_1",
            2,
        )

    def test_paying_and_sending_note_the_time(self):
        order = make_order()
        order.move(S.PAID)
        order.move(S.SENT)

        order.refresh_from_db()
        assert order.paid_at
        assert order.sent_at


class StockTests(TestCase):
    def test_release_gives_back_once(self):
        book = make_item(stock=3)
        order = make_order(lines=[(book, 2)])

        assert stock.release(order) is True
        assert order.holds_stock is False
        assert stock.release(Order.objects.get(pk=order.pk)) is False

        book.refresh_from_db()
        assert book.stock == 5

    def test_retake_takes_again_or_leaves_all_alone(self):
        book, pen = make_item(stock=0), make_item(stock=0)
        order = make_order(lines=[(book, 2), (pen, 1)])
        stock.release(order)
        stock.retake(order)
        assert order.holds_stock is True
        stock.release(order)
        type(pen).objects.filter(pk=pen.pk).update(stock=0)

        with pytest.raises(stock.Short):
            stock.retake(order)

        book.refresh_from_db()
        assert book.stock == 2
        assert Order.objects.get().holds_stock is False

    def test_unlimited_stock_stays_unlimited(self):
        ebook = make_item(stock=None)
        order = make_order(lines=[(ebook, 2)])

        stock.release(order)
        stock.retake(order)

        ebook.refresh_from_db()
        assert ebook.stock is None


class StateTests(TestCase):
    def test_each_status_says_whether_it_is_paid_or_has_gone_back_and_can_be_asked_for(self):
        order = make_order()
        for status in S:
            Order.objects.update(status=status)
            order.refresh_from_db()
            is_paid = status in ("paid", "fulfilled", "partially_refunded")
            assert order.is_paid_for == Order.objects.with_paid().exists() == is_paid, status
            assert order.has_gone_back == (status in ("refund_due", "refunded", "charged_back")), status
            is_waiting = status == "awaiting_payment"
            assert order.is_payable == Order.objects.payable().exists() == is_waiting, status

    def test_its_time_is_over_at_the_very_moment(self):
        now = timezone.now()
        for expires_at, is_over in ((now + MOMENT, False), (now, True)):
            order = make_order(expires_at=expires_at)
            for status in S:
                Order.objects.filter(pk=order.pk).update(status=status)
                order.refresh_from_db()
                with stopped(now):
                    assert order.has_lapsed == (is_over and status == "awaiting_payment"), status
                    assert order.is_payable == (not is_over and status == "awaiting_payment"), status

    def test_the_buyer_reads_how_it_ended(self):
        for by, words in (("", "expired"), ("buyer", "undone"), ("staff", "cancelled by us")):
            order = make_order(undone_by=by, expires_at=timezone.now())
            assert order.status_words == words
            order.status = S.EXPIRED
            assert order.status_words == words
            order.status = S.PAID
            assert order.status_words == "paid"

    def test_a_note_is_as_long_as_its_column(self):
        order = make_order()
        order.remember("n" * 301, stripe_event="e" * 256)

        step = order.events.last()
        assert (step.note, step.stripe_event) == ("n" * 300, "e" * 255)

    def test_the_newest_order_comes_first_and_the_first_step(self):
        older, newer = make_order(), make_order()
        older.remember("Later.")

        assert list(Order.objects.all()) == [newer, older]
        assert [event.note for event in older.events.all()] == ["Order placed.", "Later."]


class TotalsTests(TestCase):
    def test_rates_add_up_to_the_total_with_discount(self):
        order = make_order(
            lines=[(make_item("9.99", vat_rate="19"), 1), (make_item("4.50", vat_rate="7"), 3)], discount="7.75"
        )

        rates = order.per_rate()

        assert sum(row.gross for row in rates) == order.total == Decimal("15.74")
        assert sum(row.net + row.vat for row in rates) == order.total
        assert [str(row.rate) for row in rates] == ["19.00", "7.00"]

    def test_an_amount_is_shared_to_the_cent_and_the_largest_rest_gets_the_odd_ones(self):
        for amount, weights, parts in [
            ("0.05", (1, 1, 1), ("0.02", "0.02", "0.01")),
            ("0.10", (3, 3, 1), ("0.04", "0.04", "0.02")),
            ("1.00", (0, 1), ("0.00", "1.00")),
            ("4.90", (0, 0), ("4.90", "0.00")),
            ("0.00", (1, 2), ("0.00", "0.00")),
            ("4.90", (), ()),
        ]:
            found = totals.share(Decimal(amount), [Decimal(weight) for weight in weights], "EUR")
            assert found == [Decimal(part) for part in parts], (amount, weights)

    def test_a_note_bears_no_vat_below_nothing_and_none_above_its_amount(self):
        """What earlier notes have left may be a cent beside what a rate should have."""
        for net, vat, taken, tax in [
            ("0.10", "0.00", "0.01", "0.00"),
            ("0.00", "0.10", "0.01", "0.01"),
            ("0.08", "0.02", "0.04", "0.01"),
            ("0.10", "0.00", "0.10", "0.00"),
            ("0.00", "0.10", "0.10", "0.10"),
        ]:
            left = totals.RateTotal(Decimal(19), Decimal(net), Decimal(vat), Decimal("0.10"))
            [row] = totals.take([left], [Decimal(taken)], "EUR")
            assert (row.gross, row.vat, row.net + row.vat) == (Decimal(taken), Decimal(tax), row.gross), (net, taken)

    def test_a_note_over_a_rate_that_the_invoice_has_not_leaves_less_than_nothing(self):
        row = totals.RateTotal(Decimal(5), Decimal(100), Decimal(5), Decimal(105))

        assert totals.left_of([], [row]) == [(5, -100, -5, -105)]
        assert totals.left_of([row], [row]) == [(5, 0, 0, 0)]

    def test_a_credit_note_takes_what_is_wanted_of_each_rate_as_far_as_it_is_there(self):
        left = totals.per_rate(
            [(Decimal(19), Decimal("119.00")), (Decimal(7), Decimal("10.70"))],
            discount=Decimal(0),
            shipping=Decimal(0),
            currency="EUR",
        )
        for amount, wanted, parts in [
            ("10.70", {7: "10.70"}, {7: "10.70"}),
            ("12.00", {7: "5.00", 19: "7.00"}, {19: "7.00", 7: "5.00"}),
            ("10.71", {7: "10.71"}, {19: "9.83", 7: "0.88"}),  # more than is there
            ("10.00", {7: "9.99"}, {19: "9.18", 7: "0.82"}),  # does not make the amount
            ("129.70", None, {19: "119.00", 7: "10.70"}),
        ]:
            by_rate = {Decimal(rate): Decimal(part) for rate, part in (wanted or {}).items()}
            rows = totals.portion(left, Decimal(amount), "EUR", by_rate if wanted else None)
            assert {row.rate: row.gross for row in rows} == {r: Decimal(part) for r, part in parts.items()}, amount
