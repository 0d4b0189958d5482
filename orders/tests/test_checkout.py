from decimal import Decimal

import pytest
from django.db.models import ProtectedError
from django.test import TestCase, override_settings

from mail.models import OutgoingMail
from orders.checkout import CartChanged, EmptyCart, SoldOut, place_order
from orders.models import Order
from orders.tests.factories import CONTACT, make_cart, make_item
from shop.models import Product


def place(cart, **kwargs):
    return place_order(cart, **{"contact": CONTACT, "buyer": None, "checkout_key": "k" * 22} | kwargs)


class PlaceOrderTests(TestCase):
    def test_order_keeps_names_prices_and_rates_and_takes_the_stock(self):  # D86
        book, pen = make_item("12.50", stock=5, name="Book"), make_item("3.00", vat_rate="7")

        order = place(make_cart((book, 2), (pen, 1)))

        assert [(line.name, line.unit_price, line.vat_rate, line.quantity) for line in order.lines.all()] == [
            ("Book", Decimal("12.5"), Decimal(19), 2),
            (pen.name, Decimal(3), Decimal(7), 1),
        ]
        assert (order.subtotal, order.total, order.vat) == (Decimal("28.00"), Decimal("28.00"), Decimal("4.19"))
        book.refresh_from_db()
        pen.refresh_from_db()
        assert (book.stock, pen.stock) == (3, None)

    def test_confirmation_is_a_row_of_the_same_transaction(self):
        order = place(make_cart((make_item(), 1)))

        mail = OutgoingMail.objects.get()
        assert (mail.kind, mail.to) == ("order-confirmation", "ada@example.com")
        assert order.token in mail.text

    def test_same_checkout_again_finds_the_same_order(self):
        book = make_item(stock=5)
        first = place(make_cart((book, 1)))

        second = place(make_cart((book, 1)))

        assert first == second
        book.refresh_from_db()
        assert (Order.objects.count(), book.stock, OutgoingMail.objects.count()) == (1, 4, 1)

    def test_emptied_cart_still_finds_the_order_of_its_checkout(self):
        first = place(make_cart((make_item(), 1)))

        assert place(make_cart()) == first

    def test_empty_cart_makes_no_order(self):
        with pytest.raises(EmptyCart):
            place(make_cart())

        assert not Order.objects.exists()

    def test_changed_price_is_said_and_nothing_is_ordered(self):
        book = make_item("10.00")
        cart = make_cart((book, 1))
        Product.objects.update(price=Decimal(30))

        with pytest.raises(CartChanged) as caught:
            place(cart)

        assert book.name in caught.value.messages[0]
        assert not Order.objects.exists()

    def test_product_that_vanished_or_was_withdrawn_is_said(self):
        gone, withdrawn = make_item(), make_item()
        cart = make_cart((gone, 1), (withdrawn, 1))
        Product.objects.filter(pk=gone.pk).delete()
        Product.objects.filter(pk=withdrawn.pk).update(is_on_show=False)

        with pytest.raises(CartChanged) as caught:
            place(cart)

        assert len(caught.value.messages) == 2

    def test_other_total_than_the_button_said_is_refused(self):
        with pytest.raises(CartChanged):
            place(make_cart((make_item("10.00"), 1)), expected_total=Decimal("9.00"))

    def test_sold_out_takes_nothing_of_the_other_products(self):
        plenty, scarce = make_item(stock=10), make_item(stock=1)

        with pytest.raises(SoldOut) as caught:
            place(make_cart((plenty, 3), (scarce, 2)))

        assert caught.value.product == scarce
        plenty.refresh_from_db()
        assert plenty.stock == 10
        assert not OutgoingMail.objects.exists()

    def test_sold_product_can_never_be_deleted(self):  # D70
        book = make_item()
        place(make_cart((book, 1)))

        with pytest.raises(ProtectedError):
            book.delete()

    def test_renamed_and_repriced_product_leaves_the_order_alone(self):  # D70
        book = make_item("10.00", name="Old name")
        order = place(make_cart((book, 1)))

        Product.objects.update(name="New name", price=Decimal(99), vat_rate=Decimal(0))

        line = order.lines.get()
        assert (line.name, line.unit_price, line.vat_rate) == ("Old name", Decimal(10), Decimal(19))

    @override_settings(SHOP_CURRENCY="JPY")
    def test_yen_has_no_decimals(self):
        order = place(make_cart((make_item("500", vat_rate="10"), 3)))

        assert (order.total, order.vat, order.currency) == (Decimal(1500), Decimal(136), "JPY")

    @override_settings(SHOP_CURRENCY="BHD")
    def test_dinar_has_three_decimals(self):
        order = place(make_cart((make_item("1.250", vat_rate="10"), 3)))

        assert (order.total, order.vat) == (Decimal("3.750"), Decimal("0.341"))
