"""Forms that come twice, late, or from two tabs: what is charged is what the button said, once, and no cart is lost."""

from decimal import Decimal
from unittest import mock

from django.test import Client, TransactionTestCase
from django.utils import timezone

from cart.cart import Cart
from core.tests.races import Meeting, race
from orders import checkout
from orders.models import Order, ShippingRate
from orders.tests.factories import CONTACT, make_item
from orders.tests.test_order_create import CREATE, CheckoutCase
from shop.models import Product


class OldFormTests(CheckoutCase):
    """A checkout form is ordered, another cart is filled, and the old form is sent once more."""

    def setUp(self):
        self.dear, self.cheap = make_item("99.99", stock=5), make_item("16.90", stock=5)

    def send_an_old_form_with_a_new_cart(self, first, second, **changes):
        self.fill_cart(first)
        old = self.fields()
        assert self.client.post(CREATE, old).status_code == 307
        self.fill_cart(second)
        return self.client.post(CREATE, old | changes)

    def test_the_button_that_shows_the_new_total_never_leads_to_the_old_order(self):
        page = self.send_an_old_form_with_a_new_cart(self.dear, self.cheap, seen_total="16.90")

        self.assertContains(page, "Order #", status_code=422)
        self.assertContains(page, "Order and pay €16.90", status_code=422)
        assert Order.objects.count() == 1

    def test_the_button_that_shows_the_old_total_orders_nothing_new(self):
        page = self.send_an_old_form_with_a_new_cart(self.cheap, self.dear)

        self.assertContains(page, "Order and pay €99.99", status_code=422)
        assert Order.objects.count() == 1

    def test_what_was_typed_and_the_new_cart_are_kept_and_the_next_click_orders_it(self):
        page = self.send_an_old_form_with_a_new_cart(self.dear, self.cheap, city="Bonn")

        self.assertContains(page, 'value="Bonn"', status_code=422)
        shown = {**page.context["form"].data.dict(), "checkout_key": page.context["cart"].checkout_key}
        assert self.client.post(CREATE, shown | {"seen_total": "16.90"}).status_code == 307
        assert list(Order.objects.order_by("pk").values_list("total", "city")) == [
            (Decimal("99.99"), "Berlin"),
            (Decimal("16.90"), "Bonn"),
        ]
        assert self.client.get("/cart/").context["cart"].is_empty

    def test_the_page_carries_the_key_of_the_cart_it_shows(self):
        page = self.send_an_old_form_with_a_new_cart(self.dear, self.cheap)

        self.assertContains(page, f'name="checkout_key" value="{page.context["cart"].checkout_key}"', status_code=422)

    def test_a_changed_total_of_an_order_that_is_placed_is_not_charged_in_silence(self):
        self.fill_cart(self.dear)
        old = self.fields()
        self.client.post(CREATE, old)

        answer = self.client.post(CREATE, old | {"seen_total": "0.00"}, follow=True)

        self.assertContains(answer, "placed already, for €99.99")

    def test_a_total_nobody_saw_is_shown_before_it_is_charged(self):
        """Without JavaScript the page for a country that nothing is sent to has a button without an amount."""
        ShippingRate.objects.create(name="Home", countries=["DE"], price=Decimal("4.90"))
        self.fill_cart(self.cheap)
        fields = self.fields(country="US")
        self.client.post(CREATE, fields)
        del fields["seen_total"]

        page = self.client.post(CREATE, fields | {"country": "DE"})

        self.assertContains(page, "Order and pay €21.80", status_code=422)
        assert not Order.objects.exists()


class LeftOverCartTests(CheckoutCase):
    """The process died, or another tab wrote the session back: the order stands and its cart is there once more."""

    def setUp(self):
        self.book = make_item("10.00", stock=5)
        self.fill_cart(self.book)
        self.fields_sent = self.fields()
        with mock.patch.object(Cart, "clear"):
            self.client.post(CREATE, self.fields_sent)

    def test_unchanged_it_finds_its_order(self):
        assert self.client.post(CREATE, self.fields()).status_code == 307

        assert Order.objects.count() == 1

    def test_with_one_more_piece_it_becomes_an_order_of_its_own(self):
        self.fill_cart(self.book)

        page = self.order()
        assert page.status_code == 422
        assert self.order().status_code == 307

        assert set(Order.objects.values_list("total", flat=True)) == {Decimal(10), Decimal(20)}

    def test_when_its_order_is_over_it_can_be_ordered_again(self):
        for changes in (
            {"status": Order.Status.EXPIRED},
            {"status": Order.Status.CANCELLED},
            {"expires_at": timezone.now()},
        ):
            Order.objects.update(**changes)
            before = Order.objects.count()
            assert self.order().status_code == 422
            with mock.patch.object(Cart, "clear"):
                assert self.order().status_code == 307
            assert Order.objects.count() == before + 1

    def test_a_second_click_after_the_first_took_the_last_piece_finds_the_order(self):
        Product.objects.update(stock=0)

        assert self.client.post(CREATE, self.fields_sent).status_code == 307


class SoldOutTests(CheckoutCase):
    """Whoever is too late hears what has sold out, and not of a total that has changed."""

    def sell(self, product):
        Product.objects.filter(pk=product.pk).update(stock=0)

    def test_one_of_two_things(self):
        last, other = make_item("10.00", stock=1, name="Last map"), make_item("5.00")
        self.fill_cart(last, other)
        fields = self.fields()
        self.sell(last)

        page = self.client.post(CREATE, fields)

        self.assertContains(page, "Last map has sold out", count=1, status_code=422)
        assert page.context["form"].non_field_errors() == ["Last map has sold out and was taken out."]
        self.assertContains(page, "Order and pay €5.00", status_code=422)

    def test_the_only_thing_also_when_an_earlier_order_waits_for_its_payment(self):
        self.fill_cart(make_item())
        self.order()
        last = make_item(stock=1, name="Last map")
        self.fill_cart(last)
        fields = self.fields()
        self.sell(last)

        page = self.client.post(CREATE, fields, follow=True)

        self.assertRedirects(page, "/cart/")
        self.assertContains(page, "Last map has sold out")
        self.assertNotContains(page, "nothing to order")


class TwoTabsTests(TransactionTestCase):
    def send_two_tabs_at_once(self):
        book = make_item("12.50", stock=9)
        self.client.post(f"/cart/add/{book.pk}/", {"quantity": 1})
        tabs = [self.fields(), self.fields()]
        meeting = Meeting(2)
        real = checkout.quote

        def quote_and_meet(*args):
            meeting.wait()  # both have read the session before either has ordered
            return real(*args)

        def send(number):
            browser = Client()
            browser.cookies = self.client.cookies
            answers.append(browser.post(CREATE, tabs[number]).status_code)

        answers = []
        with mock.patch.object(checkout, "quote", quote_and_meet):
            assert race(send, 2) == []
        book.refresh_from_db()
        return answers, Order.objects.count(), book.stock

    def fields(self):
        page = self.client.get(CREATE)
        key = page.context["form"]["checkout_key"].value()
        return {**CONTACT, "terms": "on", "checkout_key": key, "seen_total": "12.50"}

    def test_two_checkout_tabs_sent_at_once_are_one_order(self):
        assert self.send_two_tabs_at_once() == ([307, 307], 1, 8)

    def test_twin_whose_tabs_have_keys_of_their_own_orders_twice(self):
        with mock.patch.object(Cart, "checkout_key", ""):
            assert self.send_two_tabs_at_once() == ([307, 307], 2, 7)
