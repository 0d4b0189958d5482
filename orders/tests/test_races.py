"""Many at once, on whichever database the suite runs; the twins switch a guard off and must fail."""

from contextlib import suppress
from decimal import Decimal
from types import SimpleNamespace
from unittest import mock

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.test import TransactionTestCase

from cart.models import Coupon, CouponQuerySet
from core.tests.races import MOST, Meeting, look_then_write, no_transaction, race
from orders import invoice, stock
from orders.checkout import CouponGone, SoldOut, place_order
from orders.models import Invoice, Order, OrderQuerySet
from orders.tests.factories import CONTACT, make_cart, make_item, make_order
from shop.models import Product, ProductQuerySet


def unguarded_take(meeting):
    """What a shop without the guard does: read, compare, write."""

    def take(products, product_id, quantity):
        left = Product.objects.values_list("stock", flat=True).get(pk=product_id)
        meeting.wait()
        Product.objects.filter(pk=product_id).update(stock=max(0, left - quantity))
        return left >= quantity

    return take


class CheckoutRaceTests(TransactionTestCase):
    def setUp(self):
        quiet = mock.patch("orders.checkout.mails.confirmation")
        quiet.start()
        self.addCleanup(quiet.stop)

    def buy(self, number, cart=None, *, product=None):
        cart = cart or make_cart((product, 1))
        return place_order(cart, contact=CONTACT, buyer=None, checkout_key=f"key-{number:020}")

    def test_twenty_buyers_of_five_pieces(self):
        book = make_item(stock=5)

        errors = race(lambda number: self.buy(number, product=book), MOST)

        book.refresh_from_db()
        assert (Order.objects.count(), book.stock) == (5, 0)
        assert {type(error) for error in errors} == {SoldOut}

    def test_two_hundred_buyers_of_twenty_pieces(self):
        book = make_item(stock=20)
        refused = []

        def ten_buyers(number):
            for buyer in range(10 * number, 10 * number + 10):
                try:
                    self.buy(buyer, product=book)
                except SoldOut as refusal:
                    refused.append(refusal)

        assert race(ten_buyers, MOST) == []

        book.refresh_from_db()
        assert (Order.objects.count(), book.stock, len(refused)) == (20, 0, 180)

    def test_twin_without_the_guard_oversells(self):
        book = make_item(stock=5)

        with (
            mock.patch.object(ProductQuerySet, "take", unguarded_take(Meeting(MOST))),
            mock.patch.object(ProductQuerySet, "select_for_update", lambda products, **_options: products),
            mock.patch("orders.checkout.transaction", SimpleNamespace(atomic=no_transaction)),
        ):
            assert race(lambda number: self.buy(number, product=book), MOST) == []

        assert Order.objects.count() == MOST

    def test_several_products_in_any_order_do_not_block_each_other(self):
        products = [make_item(stock=100) for _ in range(5)]
        carts = [make_cart(*((product, 1) for product in products[n % 5 :] + products[: n % 5])) for n in range(20)]

        errors = race(lambda number: self.buy(number, carts[number]), 20)

        assert errors == []
        assert set(Product.objects.values_list("stock", flat=True)) == {80}

    def test_twenty_copies_of_one_checkout_are_one_order(self):  # D65
        book = make_item(stock=3)
        placed = []

        errors = race(lambda _: placed.append(self.buy(0, product=book)), 20)

        book.refresh_from_db()
        assert errors == []
        assert {order.pk for order in placed} == {Order.objects.get().pk}
        assert book.stock == 2

    def buy_with_one_coupon(self):
        book = make_item("10.00")
        coupon = Coupon.objects.create(code="ONCE", percent=Decimal(10), max_uses=1, max_uses_each=None)
        carts = [make_cart((book, 1), discount="1.00") for _ in range(MOST)]
        for cart in carts:
            cart.coupon = coupon
        return race(lambda number: self.buy(number, carts[number]), MOST)

    def test_coupon_with_one_use(self):
        errors = self.buy_with_one_coupon()

        assert (Order.objects.count(), Coupon.objects.get().used) == (1, 1)
        assert [type(error) for error in errors] == [CouponGone] * (MOST - 1)

    def test_twin_that_looks_at_the_coupon_before_it_counts_lets_everybody_save(self):
        with (
            mock.patch.object(CouponQuerySet, "update", look_then_write(Meeting(MOST))),
            mock.patch.object(ProductQuerySet, "select_for_update", lambda products, **_options: products),
            mock.patch("orders.checkout.transaction", SimpleNamespace(atomic=no_transaction)),
        ):
            errors = self.buy_with_one_coupon()

        assert (errors, Order.objects.exclude(discount=0).count()) == ([], MOST)


class ReleaseRaceTests(TransactionTestCase):
    def release_at_once(self):
        book = make_item(stock=0)
        order = make_order(lines=[(book, 2)])
        released = []

        assert race(lambda _: released.append(stock.release(Order.objects.get(pk=order.pk))), MOST) == []

        book.refresh_from_db()
        return released.count(True), book.stock

    def test_stock_is_given_back_once(self):
        assert self.release_at_once() == (1, 2)

    def test_twin_that_looks_before_it_writes_gives_it_back_each_time(self):
        with (
            mock.patch.object(OrderQuerySet, "update", look_then_write(Meeting(MOST))),
            mock.patch.object(stock, "transaction", SimpleNamespace(atomic=no_transaction)),
        ):
            assert self.release_at_once() == (MOST, 2 * MOST)


class StatusRaceTests(TransactionTestCase):
    def test_one_of_twenty_moves_wins(self):
        order = make_order()
        won = []

        race(lambda _: won.append(Order.objects.get(pk=order.pk).move(Order.Status.PAID)), 20)

        assert won.count(True) == 1
        assert order.events.filter(status="paid").count() == 1

    def test_twin_that_looks_before_it_writes_lets_all_win(self):
        order, meeting = make_order(), Meeting(10)
        won = []

        def look_then_write(_):
            seen = Order.objects.get(pk=order.pk)
            meeting.wait()
            if seen.status == Order.Status.AWAITING_PAYMENT:
                Order.objects.filter(pk=order.pk).update(status=Order.Status.PAID)
                won.append(True)

        assert race(look_then_write, 10) == []

        assert len(won) == 10


@mock.patch.object(invoice, "delay_on_commit", mock.Mock())
class NumberRaceTests(TransactionTestCase):
    def issue(self, number, order):
        with suppress(ZeroDivisionError), transaction.atomic():
            invoice.issue(order)
            if number % 10 < 3:
                raise ZeroDivisionError

    def test_numbers_of_500_orders_have_no_gap_though_thirty_percent_roll_back(self):
        book = make_item()
        orders = [make_order(lines=[(book, 1)]) for _ in range(500)]

        def some_orders(thread):
            for number in range(thread, 500, MOST):
                self.issue(number, orders[number])

        assert race(some_orders, MOST) == []

        assert sorted(Invoice.objects.values_list("number", flat=True)) == list(range(1, 351))

    def test_twin_with_the_highest_number_plus_one_collides(self):
        def highest_plus_one(year):
            highest = Invoice.objects.filter(year=year).aggregate(Max("number"))["number__max"] or 0
            meeting.wait()
            return highest + 1

        book, meeting = make_item(), Meeting(10)
        orders = [make_order(lines=[(book, 1)]) for _ in range(10)]
        with (
            mock.patch.object(invoice, "_next_number", highest_plus_one),
            mock.patch.object(invoice.transactions, "require"),
        ):
            errors = race(lambda number: invoice.issue(orders[number]), 10)

        assert [type(error) for error in errors] == [IntegrityError] * 9
