import re
from datetime import timedelta
from decimal import Decimal
from unittest import mock

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from account.tests.factories import make_user
from cart.models import Coupon
from core.jobs import background
from core.stores.breaker import Breaker
from mail.models import OutgoingMail
from mail.tasks import deliver_mail
from orders.models import Order, ShippingRate
from orders.tests.factories import CONTACT, make_item, make_order
from shop.models import Product

CREATE = "/orders/create/"


class CheckoutCase(TestCase):
    def fill_cart(self, *products: Product, quantity: int = 1) -> None:
        for product in products:
            self.client.post(f"/cart/add/{product.pk}/", {"quantity": quantity})

    def shown(self):
        return self.client.get(CREATE)

    def fields(self, **changes: str) -> dict[str, str]:
        """Return what a browser would send after the page was filled in."""
        page = self.shown()
        hidden = {
            "checkout_key": page.context["form"]["checkout_key"].value(),
            "seen_total": str(page.context["quote"].total) if page.context["quote"] else "",
        }
        return {**CONTACT, "terms": "on", **hidden, **changes}

    def order(self, **changes: str):
        return self.client.post(CREATE, self.fields(**changes))


class OrderCreateTests(CheckoutCase):
    def test_guest_orders_and_is_sent_to_pay(self):
        book = make_item("12.50", stock=3)
        self.fill_cart(book, quantity=2)

        response = self.order()

        order = Order.objects.get()
        to_pay = f"/payment/process/?order={order.token}"
        self.assertRedirects(response, to_pay, status_code=307, fetch_redirect_response=False)
        assert self.client.session["orders"] == [order.token]
        assert (order.total, order.buyer, order.city) == (Decimal("25.00"), None, "Berlin")
        assert order.expires_at - timedelta(minutes=35) <= timezone.now() < order.expires_at - timedelta(minutes=34)
        assert [event.note for event in order.events.all()] == ["Placed."]
        assert self.client.get("/cart/").context["cart"].is_empty

    def test_button_says_the_amount(self):
        self.fill_cart(make_item("12.50"))

        self.assertContains(self.shown(), "Order and pay €12.50")

    def test_guest_types_at_most_seven_fields(self):
        self.fill_cart(make_item())

        form = self.shown().context["form"]

        typed = [
            field for field in form.visible_fields() if field.field.required and field.name not in ("terms", "country")
        ]
        assert len(typed) <= 7

    def test_one_country_is_chosen_the_sellers_own_until_another_is(self):
        self.fill_cart(make_item())
        for page, country in ((self.shown(), "DE"), (self.order(country="FR", email=""), "FR")):
            chosen = re.findall(r'<option value="(\w*)" selected>', page.text)
            assert chosen == [country]

    def test_what_one_guest_types_or_a_member_is_known_by_no_other_visitor_sees(self):
        book = make_item()

        def page_of(**typed: str) -> str:
            self.client = self.client_class()
            self.fill_cart(book)
            return self.order(**typed).text if typed else self.shown().text

        assert page_of(email="secret@example", city="Hideaway").count("Hideaway") == 1
        assert "secret" not in page_of() and "Hideaway" not in page_of()
        self.client.force_login(make_user("alice", first_name="Alice"))
        assert 'value="Alice"' in self.shown().text
        assert 'value="Alice"' not in page_of()

    def test_only_a_script_that_asks_for_the_amounts_gets_them_alone(self):
        self.fill_cart(make_item())
        htmx = {"HX-Request": "true"}
        for query, headers, is_whole in [
            ({"country": "FR"}, htmx, False),
            ({"country": "FR"}, {}, True),
            ({}, htmx, True),
        ]:
            page = self.client.get(CREATE, query, headers=headers)
            assert ("<html" in page.text) == is_whole, (query, headers)

    def test_other_methods_are_refused(self):
        assert self.client.put(CREATE).status_code == 405

    def test_a_browser_remembers_its_last_fifty_orders(self):
        earlier = [f"token-{number}" for number in range(50)]
        for _ in range(2):
            self.fill_cart(make_item())
            session = self.client.session
            session["orders"] = earlier
            session.save()
            self.order()
            newest = Order.objects.first().token
            assert self.client.session["orders"] == [*earlier[-49:], newest]
            earlier = [newest, *earlier[:-1]]

    def test_a_corrected_address_gets_the_confirmation_once(self):
        self.fill_cart(make_item())
        fields = self.fields(email="ada@exmaple.com")
        for email in ("ada@exmaple.com", "ADA@exmaple.com", "ada@example.com", "ada@example.com"):
            self.client.post(CREATE, fields | {"email": email})

        assert list(OutgoingMail.objects.order_by("pk").values_list("to", flat=True)) == [
            "ada@exmaple.com",
            "ada@example.com",
        ]
        notes = [event.note for event in Order.objects.get().events.all()]
        assert notes == ["Placed.", *["The buyer corrected name or address."] * 2]

    def test_address_fields_tell_the_browser_what_they_are(self):
        self.fill_cart(make_item())

        for token in [
            "email",
            "given-name",
            "family-name",
            "street-address",
            "postal-code",
            "address-level2",
            "country",
        ]:
            self.assertContains(self.shown(), f'autocomplete="{token}"')

    def test_errors_are_422_and_keep_what_was_typed(self):
        self.fill_cart(make_item())

        response = self.order(email="not an address", city="Köln", terms="")

        self.assertContains(response, 'value="Köln"', status_code=422)
        assert set(response.context["form"].errors) == {"email", "terms"}
        assert not Order.objects.exists()

    def test_addresses_no_customer_has_are_refused(self):
        self.fill_cart(make_item())

        for address in ["a@localhost", "a@[127.0.0.1]", "a,b@x.test", "a@x.test\nBcc:b@y.test", "<a@x.test>"]:
            response = self.order(email=address)
            assert response.status_code == 422, address

    def test_empty_cart_goes_back_to_the_cart(self):  # D67
        response = self.client.post(CREATE, {**CONTACT, "terms": "on", "checkout_key": "k" * 22})

        self.assertRedirects(self.shown(), "/cart/")
        self.assertRedirects(response, "/cart/")
        assert not Order.objects.exists()
        assert not OutgoingMail.objects.exists()

    def test_form_posted_twice_is_one_order(self):  # D65
        book = make_item(stock=9)
        self.fill_cart(book)
        fields = self.fields()

        responses = [self.client.post(CREATE, fields) for _ in range(3)]

        assert {response.status_code for response in responses} == {307}
        assert (Order.objects.count(), OutgoingMail.objects.count()) == (1, 1)
        book.refresh_from_db()
        assert book.stock == 8

    def test_a_dead_broker_costs_no_order_and_leaves_no_full_cart(self):  # D64
        self.fill_cart(make_item(stock=3))
        with (
            mock.patch.object(background, "start", background.publish),
            mock.patch.object(background, "broker", Breaker("broker", (OSError,), rest=10)),
            mock.patch.object(deliver_mail, "apply_async", side_effect=OSError("refused")),
            self.captureOnCommitCallbacks(execute=True),
        ):
            first = self.order()

        order = Order.objects.get()
        same = {"checkout_key": order.checkout_key, "seen_total": str(order.total)}
        again = self.client.post(CREATE, {**CONTACT, "terms": "on", **same})

        assert (first.status_code, again.status_code) == (307, 307)
        assert Order.objects.count() == 1
        assert self.client.get("/cart/").context["cart"].is_empty
        assert OutgoingMail.objects.get().status == OutgoingMail.Status.QUEUED

    def test_corrected_after_going_back_it_stays_one_order_with_the_right_address(self):
        self.fill_cart(make_item())
        fields = self.fields(email="ada@exmaple.com")
        self.client.post(CREATE, fields)

        self.client.post(CREATE, fields | {"email": "ada@example.com", "city": "Bonn"})

        order = Order.objects.get()
        assert (order.email, order.city) == ("ada@example.com", "Bonn")
        assert set(OutgoingMail.objects.values_list("to", flat=True)) == {"ada@exmaple.com", "ada@example.com"}

    def test_another_country_or_a_paid_order_is_not_changed_by_going_back(self):
        self.fill_cart(make_item())
        fields = self.fields()
        self.client.post(CREATE, fields)
        order = Order.objects.get()

        self.assertRedirects(self.client.post(CREATE, fields | {"country": "FR"}), order.get_absolute_url())
        order.move(Order.Status.PAID)
        self.client.post(CREATE, fields | {"city": "Bonn"})

        order.refresh_from_db()
        assert (order.country, order.city) == ("DE", "Berlin")

    def test_deleted_product_in_the_cart_is_told_and_the_rest_can_be_ordered(self):  # D66
        gone, book = make_item(), make_item("10.00")
        self.fill_cart(gone, book)
        fields = self.fields()
        gone.delete()

        response = self.client.post(CREATE, fields)

        self.assertContains(response, "no longer exists", status_code=422)
        assert not Order.objects.exists()
        assert self.order().status_code == 307
        assert Order.objects.get().total == Decimal(10)

    def test_withdrawn_product_is_not_sold(self):  # D68
        book = make_item()
        self.fill_cart(book)
        fields = self.fields()
        Product.objects.update(is_on_show=False)

        response = self.client.post(CREATE, fields)

        self.assertRedirects(response, "/cart/", fetch_redirect_response=False)
        assert not Order.objects.exists()

    def test_changed_price_is_shown_before_it_is_charged(self):  # D69
        self.fill_cart(make_item("10.00"))
        fields = self.fields()
        Product.objects.update(price=Decimal(30))

        response = self.client.post(CREATE, fields)

        self.assertContains(response, "Order and pay €30.00", status_code=422)
        assert not Order.objects.exists()
        assert self.order().status_code == 307
        assert Order.objects.get().total == Decimal(30)

    def test_price_changed_back_and_forth_is_caught_by_the_total(self):
        self.fill_cart(make_item("10.00"))

        response = self.order(seen_total="9.00")

        self.assertContains(response, "The total is now €10.00", status_code=422)

    def test_sold_out_meanwhile_is_said(self):
        book = make_item(stock=5)
        self.fill_cart(book, quantity=3)
        fields = self.fields()
        Product.objects.update(stock=2)

        response = self.client.post(CREATE, fields)

        self.assertContains(response, "Only 2", status_code=422)
        self.assertContains(response, f"2 \N{MULTIPLICATION SIGN} {book.name}", status_code=422)
        assert not Order.objects.exists()

    def test_hidden_fields_cannot_change_the_price_or_the_buyer(self):
        stranger = make_user()
        self.fill_cart(make_item("10.00"))

        self.order(total="1", price="1", buyer=str(stranger.pk), status="paid", discount="9")

        order = Order.objects.get()
        assert (order.total, order.buyer, order.status) == (Decimal(10), None, "awaiting_payment")

    def test_senseless_checkout_key_is_refused(self):
        self.fill_cart(make_item())

        for key in ["", "1", "k" * 65, "<script>" + "x" * 20]:
            assert self.order(checkout_key=key).status_code == 422

    def test_senseless_amounts_and_countries_are_not_500(self):
        self.fill_cart(make_item())

        for amount in ("NaN", "sNaN", "-Infinity", "1e999999", "", "12,50", "\x00", "9" * 5000):
            assert self.order(seen_total=amount).status_code == 422, amount
        assert self.order(country="XX").status_code == 422
        assert self.order(country="").status_code == 422

    def test_page_is_private(self):
        self.fill_cart(make_item())

        response = self.shown()

        assert "no-store" in response["Cache-Control"]
        self.assertContains(response, 'content="noindex"')

    def test_eleventh_order_in_a_minute_waits(self):
        for _ in range(10):
            self.client.post(CREATE, {})

        assert self.client.post(CREATE, {}).status_code == 429


class CostTests(CheckoutCase):
    def test_placing_an_order_costs_the_same_few_queries_for_one_product_as_for_five(self):
        for count in (1, 5):
            self.fill_cart(*(make_item() for _ in range(count)))
            fields = self.fields()
            with CaptureQueriesContext(connection) as queries:
                self.client.post(CREATE, fields)

            reads_and_writes = [
                query["sql"] for query in queries if query["sql"].startswith(("SELECT", "INSERT", "UPD"))
            ]
            assert len(reads_and_writes) - count <= 14


class MemberTests(CheckoutCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")

    def setUp(self):
        self.client.force_login(self.alice)

    def test_order_belongs_to_the_member(self):
        self.fill_cart(make_item())

        self.order()

        assert Order.objects.get().buyer == self.alice

    def test_last_address_is_remembered(self):
        make_order(buyer=self.alice, city="Bremen")
        self.fill_cart(make_item())

        self.assertContains(self.shown(), 'value="Bremen"')

    def test_a_first_order_knows_the_accounts_own_address(self):
        make_order(city="Bremen")  # somebody else's
        self.fill_cart(make_item())

        page = self.shown()

        self.assertContains(page, f'value="{self.alice.email}"')
        self.assertNotContains(page, 'value="Bremen"')


class CouponTests(CheckoutCase):
    @classmethod
    def setUpTestData(cls):
        cls.coupon = Coupon.objects.create(code="SUMMER", percent=Decimal(33), max_uses=1)

    def test_discount_is_rounded_once_and_the_sum_is_right(self):  # D76
        self.fill_cart(make_item("4.50"))
        self.client.post("/cart/coupon/", {"code": "summer"})

        self.order()

        order = Order.objects.get()
        assert (order.subtotal, order.discount, order.total) == (Decimal("4.50"), Decimal("1.49"), Decimal("3.01"))
        assert order.coupon_code == "SUMMER"
        assert sum(row.gross for row in order.per_rate()) == order.total

    def test_coupon_that_ended_is_not_applied_any_more(self):  # D71
        self.fill_cart(make_item("10.00"))
        self.client.post("/cart/coupon/", {"code": "SUMMER"})
        fields = self.fields()
        Coupon.objects.update(is_active=False)

        response = self.client.post(CREATE, fields)

        assert response.status_code == 422
        self.assertContains(response, "Order and pay €10.00", status_code=422)
        assert not Order.objects.exists()

    def test_guest_who_used_the_coupon_before_hears_it_and_can_order_without(self):
        Coupon.objects.update(max_uses=None)
        for _ in range(2):
            self.fill_cart(make_item("10"))
            self.client.post("/cart/coupon/", {"code": "SUMMER"})
            response = self.order()
        self.assertContains(response, "You have used the code SUMMER already.", status_code=422)

        assert self.order().status_code == 307

        assert [order.coupon_code for order in Order.objects.order_by("pk")] == ["SUMMER", ""]

    def test_coupon_is_used_up_by_the_order_and_off_the_next_cart(self):  # D72
        self.fill_cart(make_item("10.00"))
        self.client.post("/cart/coupon/", {"code": "SUMMER"})
        self.order()

        self.fill_cart(make_item("10.00"))

        assert self.shown().context["quote"].discount == 0
        self.coupon.refresh_from_db()
        assert self.coupon.used == 1


class ShippingTests(CheckoutCase):
    @classmethod
    def setUpTestData(cls):
        ShippingRate.objects.create(name="Home", countries=["DE", "AT"], price=Decimal("4.90"), free_from=Decimal(50))
        ShippingRate.objects.create(name="Near", countries=["FR"], price=Decimal("9.90"))

    def test_country_decides(self):  # D86
        self.fill_cart(make_item("10.00"))

        assert self.shown().context["quote"].shipping == Decimal("4.90")
        response = self.order(country="FR")
        self.assertContains(response, "Order and pay €19.90", status_code=422)
        self.order(country="FR", seen_total="19.90")
        assert Order.objects.get().shipping == Decimal("9.90")

    def test_free_from_an_amount(self):
        for price, sending in (("49.99", Decimal("4.90")), ("0.01", 0)):
            self.fill_cart(make_item(price))
            assert self.shown().context["quote"].shipping == sending

    def test_what_a_coupon_takes_off_does_not_count(self):
        Coupon.objects.create(code="CENT", amount=Decimal("0.01"))
        self.fill_cart(make_item("50.00"))
        self.client.post("/cart/coupon/", {"code": "CENT"})

        assert self.shown().context["quote"].shipping == Decimal("4.90")

    def test_downloads_cost_nothing_to_send_alone(self):
        self.fill_cart(make_item("10.00", is_digital=True))
        assert self.shown().context["quote"].shipping == 0

        self.fill_cart(make_item("10.00"))
        assert self.shown().context["quote"].shipping == Decimal("4.90")

    def test_country_without_a_rate_is_refused(self):
        self.fill_cart(make_item())

        response = self.order(country="US")

        self.assertContains(response, "We do not send to this country", status_code=422)
        assert not Order.objects.exists()

    def test_a_country_with_a_rate_of_its_own_is_not_the_rest_of_the_world(self):
        ShippingRate.objects.all().delete()
        for countries, price in (([], 20), (["DE"], 5)):
            ShippingRate.objects.create(name="x", countries=countries, price=price)
        self.fill_cart(make_item("10.00"))

        assert self.shown().context["quote"].shipping == 5

    def test_rest_of_the_world(self):
        ShippingRate.objects.create(name="World", price=Decimal(20))
        self.fill_cart(make_item("10.00"))

        response = self.client.get(CREATE, {"country": "US"}, headers={"HX-Request": "true"})

        self.assertContains(response, "Order and pay €30.00")
        self.assertNotContains(response, "<html")
