from decimal import Decimal

import pytest
from django.test import TestCase

from orders import stock
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
        order.move(S.FULFILLED)

        order.refresh_from_db()
        assert order.paid_at
        assert order.sent_at


class StockTests(TestCase):
    def test_release_gives_back_once(self):
        book = make_item(stock=3)
        order = make_order(lines=[(book, 2)])

        assert stock.release(order) is True
        assert stock.release(Order.objects.get(pk=order.pk)) is False

        book.refresh_from_db()
        assert book.stock == 5

    def test_retake_takes_again_or_leaves_all_alone(self):
        book, pen = make_item(stock=0), make_item(stock=0)
        order = make_order(lines=[(book, 2), (pen, 1)])
        stock.release(order)
        stock.retake(order)
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


class TotalsTests(TestCase):
    def test_rates_add_up_to_the_total_with_discount(self):
        order = make_order(
            lines=[(make_item("9.99", vat_rate="19"), 1), (make_item("4.50", vat_rate="7"), 3)], discount="7.75"
        )

        rates = order.per_rate()

        assert sum(row.gross for row in rates) == order.total == Decimal("15.74")
        assert sum(row.net + row.vat for row in rates) == order.total
        assert [str(row.rate) for row in rates] == ["19.00", "7.00"]
