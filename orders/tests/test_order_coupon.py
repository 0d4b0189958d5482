"""What an order holds of a coupon: counted when it is placed, given back once when it comes to nothing."""

from datetime import timedelta
from decimal import Decimal

from django.test import TestCase
from django.utils import timezone

from cart.models import Coupon, CouponUse
from orders import stock, withdrawals
from orders.models import Order
from orders.tests.factories import make_item, make_order
from orders.tests.test_order_create import CheckoutCase


class HeldCouponTests(CheckoutCase):
    def setUp(self):
        self.coupon = Coupon.objects.create(code="ONCE", percent=Decimal(10), max_uses=1)
        self.buy()

    def buy(self):
        self.fill_cart(make_item("10.00", stock=9))
        self.client.post("/cart/coupon/", {"code": "ONCE"})
        return self.order()

    def used(self):
        self.coupon.refresh_from_db()
        return self.coupon.used, CouponUse.objects.count()

    def test_an_order_that_lapses_gives_its_use_back_once(self):
        order = Order.objects.get()
        assert self.used() == (1, 1)

        assert stock.release(order)
        assert not stock.release(Order.objects.get())

        assert self.used() == (0, 0)

    def test_the_same_customer_can_use_it_in_the_next_order(self):
        stock.release(Order.objects.get())

        assert self.buy().status_code == 307

        assert Order.objects.first().coupon_code == "ONCE"
        assert self.used() == (1, 1)

    def test_an_order_without_a_coupon_gives_no_use_back(self):
        stock.release(make_order())

        assert self.used() == (1, 1)

    def test_a_count_set_to_nought_by_hand_does_not_fall_below(self):
        Coupon.objects.update(used=0)

        stock.release(Order.objects.get())

        assert self.used() == (0, 0)

    def test_money_that_comes_late_counts_the_use_again(self):
        order = Order.objects.get()
        stock.release(order)

        stock.retake(order)

        assert self.used() == (1, 1)


class PiecesTests(TestCase):
    def test_lines_of_one_product_are_counted_together(self):
        book = make_item(stock=0)
        order = make_order(lines=[(book, 2), (book, 3)])

        assert order.pieces() == {book.pk: 5}
        stock.release(order)

        book.refresh_from_db()
        assert book.stock == 5

    def test_pieces_put_back_on_the_shelf_are_not_put_there_again(self):
        book = make_item(stock=0)
        order = make_order(lines=[(book, 3)])
        line = order.lines.get()

        stock.put_back(order, {line.pk: 2})
        stock.put_back(order, {line.pk: 2})
        stock.release(Order.objects.get())

        book.refresh_from_db()
        line.refresh_from_db()
        assert (book.stock, line.restocked) == (3, 2)

    def test_an_order_that_holds_nothing_puts_nothing_back(self):
        book = make_item(stock=0)
        order = make_order(lines=[(book, 1)], holds_stock=False)

        stock.put_back(order, {order.lines.get().pk: 1})

        book.refresh_from_db()
        assert book.stock == 0


class PayableTests(TestCase):
    def test_until_its_time_is_over_it_can_be_paid_and_then_it_has_lapsed(self):
        now = timezone.now()
        waiting, late = make_order(expires_at=now + timedelta(minutes=1)), make_order(expires_at=now)

        assert (waiting.is_payable, waiting.has_lapsed) == (True, False)
        assert (late.is_payable, late.has_lapsed) == (False, True)

    def test_an_order_that_is_paid_neither_waits_nor_lapses(self):
        past = make_order(paid=True, expires_at=timezone.now() - timedelta(days=1))

        assert (past.is_payable, past.has_lapsed) == (False, False)

    def test_giving_up_ends_the_time_once_and_is_written_down(self):
        order = make_order()

        assert order.give_up(by=Order.UndoneBy.BUYER) is True
        assert order.give_up(by=Order.UndoneBy.STAFF) is False

        order.refresh_from_db()
        assert (order.has_lapsed, order.undone_by) == (True, "buyer")
        assert order.events.last().note == "Given up before it was paid."

    def test_the_time_to_withdraw_from_goods_and_files_together_waits_for_the_goods(self):
        order = make_order(lines=[(make_item(), 1), (make_item(), 1)], paid=True)
        order.lines.filter(pk=order.lines.first().pk).update(is_digital=True)

        assert withdrawals.last_day(order) is None

    def test_the_last_day_is_not_late_and_the_next_is(self):
        order = make_order(paid=True, sent_at=timezone.now() - timedelta(days=21))
        assert withdrawals.last_day(order) == timezone.localdate()
        assert not withdrawals.is_late(order)

        order.sent_at -= timedelta(days=1)
        assert withdrawals.is_late(order)
