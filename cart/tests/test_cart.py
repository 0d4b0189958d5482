from decimal import Decimal
from importlib import import_module
from unittest import mock

from django.conf import settings
from django.test import TestCase

from cart.cart import parse
from cart.forms import QuantityForm
from cart.templatetags.cart_tags import empty_quantity
from shop import recommender
from shop.models import BoughtTogether, Product
from shop.tests.factories import make_product

CART = "/cart/"
# The site's own sessions: Django's table stays empty whatever the cart does.
Session = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()


class CartCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.vase = make_product("Vase", price=Decimal("40"), stock=5)
        cls.poster = make_product("Poster", price=Decimal("30"))

    def add(self, product: Product, quantity: object = 1):
        return self.client.post(f"/cart/add/{product.pk}/", {"quantity": quantity})

    def set(self, product: Product, quantity: object):
        return self.client.post(f"/cart/set/{product.pk}/", {"quantity": quantity})

    def remove(self, product: Product):
        return self.client.post(f"/cart/remove/{product.pk}/")

    def shown(self):
        """Return the cart page's cart."""
        return self.client.get(CART).context["cart"]

    def held(self) -> dict[str, int]:
        return {line.product.name: line.quantity for line in self.shown().lines}


class CartTests(CartCase):
    def test_adding_setting_and_removing(self):
        self.assertRedirects(self.add(self.vase, 2), CART)
        self.add(self.vase, 1)
        self.add(self.poster)
        assert self.held() == {"Vase": 3, "Poster": 1}

        self.set(self.vase, 2)
        assert self.held() == {"Vase": 2, "Poster": 1}
        assert self.shown().total == Decimal("110")

        self.assertRedirects(self.remove(self.vase), CART)
        assert self.held() == {"Poster": 1}

    def test_empty_cart_says_what_to_do(self):
        response = self.client.get(CART)

        self.assertContains(response, "Your cart is empty.")
        self.assertContains(response, 'href="/shop/"')

    def test_session_holds_numbers_only(self):
        self.add(self.vase, 2)

        assert self.client.session["cart"] == {str(self.vase.pk): {"quantity": 2, "price": "40.000"}}

    def test_header_counts_pieces(self):
        self.add(self.vase, 2)
        self.add(self.poster)

        self.assertContains(self.client.get("/shop/"), '<span class="badge">3')

    def test_with_htmx_the_form_and_the_count_are_answered(self):
        response = self.client.post(f"/cart/add/{self.vase.pk}/", {"quantity": 2}, headers={"HX-Request": "true"})

        self.assertTemplateNotUsed(response, "base.html")
        self.assertContains(response, "2 in your cart.")
        self.assertContains(response, 'id="cart-count" hx-swap-oob="true"')

    def test_with_htmx_a_refused_quantity_answers_the_form(self):
        response = self.client.post(f"/cart/add/{self.vase.pk}/", {"quantity": 9}, headers={"HX-Request": "true"})

        self.assertTemplateNotUsed(response, "base.html")
        self.assertContains(response, "Only 5 are left.", status_code=422)

    def test_cart_page_is_never_kept_and_takes_no_posts(self):
        assert "no-store" in self.client.get(CART)["Cache-Control"]
        assert self.client.post(CART).status_code == 405

    def test_what_was_added_is_said(self):
        self.add(self.vase)

        self.assertContains(self.client.get(CART), "Vase is in your cart.")

    def test_lines_stand_in_the_order_in_which_they_were_added(self):
        for product in (self.poster, self.vase):
            self.add(product)
        self.set(self.poster, 2)

        assert [(line.product, line.quantity, line.unit_price, line.total) for line in self.shown().lines] == [
            (self.poster, 2, 30, 60),
            (self.vase, 1, 40, 40),
        ]

    def test_each_line_offers_as_many_as_can_be_had(self):
        self.add(self.vase)
        self.add(self.poster)
        page = self.client.get(CART)

        self.assertContains(page, 'min="1" max="5"')
        self.assertContains(page, 'min="1" max="99"')
        assert [line.limit for line in page.context["cart"].lines] == [5, 99]

    def test_a_new_field_says_one(self):
        form = QuantityForm(product=self.vase)

        assert 'value="1"' in str(form["quantity"])

    def test_the_field_kept_for_all_products_is_that_of_the_form(self):
        for product in (self.vase, self.poster):
            assert empty_quantity(product) == QuantityForm(product=product)["quantity"].as_field_group()


class SuggestionTests(CartCase):
    def bought_together(self, *products):
        for product in products:
            BoughtTogether.objects.create(product=self.vase, other=product, score=10 - product.pk % 5)

    def test_the_cart_page_suggests_four_things_that_go_with_it_and_can_be_had(self):
        others = [make_product(f"Other {number}") for number in range(5)]
        self.bought_together(self.poster, *others, make_product("Gone", is_on_show=False), make_product(stock=0))
        self.add(self.vase)
        self.add(self.poster)

        suggested = self.client.get(CART).context["cart"].suggestions

        assert len(suggested) == 4
        assert set(suggested) < set(others)

    def test_what_cannot_be_had_any_more_is_not_suggested_though_redis_still_names_it(self):
        gone = [make_product(is_on_show=False), make_product(stock=0), make_product(is_on_show=False, stock=0)]
        self.add(self.vase)

        with mock.patch.object(recommender, "companions", return_value=[each.pk for each in (*gone, self.poster)]):
            assert self.client.get(CART).context["cart"].suggestions == [self.poster]

    def test_a_cart_that_was_not_asked_suggests_nothing(self):
        self.bought_together(self.poster)
        self.add(self.vase)

        page = self.client.get("/orders/create/")

        assert (len(page.context["cart"].lines), page.context["cart"].suggestions) == (1, [])


class QuantityTests(CartCase):
    def test_senseless_quantities_are_refused_and_said(self):  # D80
        assert QuantityForm({"quantity": 99}, product=self.poster).is_valid()
        for quantity in [0, -5, "1e3", "abc", "", "1.5", 100, 10**30, "٣x", "NaN"]:
            with self.subTest(quantity=quantity):
                response = self.add(self.poster, quantity)

                self.assertContains(response, 'class="errorlist"', status_code=422)
                assert not Session.objects.exists()

    def test_setting_a_senseless_quantity_shows_the_cart_with_the_error(self):
        self.add(self.poster)

        response = self.set(self.poster, "abc")

        self.assertContains(response, "Enter a whole number.", status_code=422)
        self.assertContains(response, 'value="abc"', status_code=422)
        assert self.held() == {"Poster": 1}

    def test_the_limit_is_on_the_sum(self):  # D79
        self.add(self.poster, 60)

        response = self.add(self.poster, 40)

        self.assertContains(response, "There are 60 in your cart already, and 99 is the most", status_code=422)
        assert self.held() == {"Poster": 60}
        assert self.add(self.poster, 39).status_code == 302
        assert self.held() == {"Poster": 99}

    def test_no_more_than_the_stock(self):
        self.assertContains(self.add(self.vase, 6), "Only 5 are left.", status_code=422)
        self.add(self.vase, 4)
        self.assertContains(self.add(self.vase, 2), "5 is the most", status_code=422)
        self.assertContains(self.set(self.vase, 6), "Only 5 are left.", status_code=422)
        assert self.held() == {"Vase": 4}
        self.set(self.vase, 5)
        assert self.held() == {"Vase": 5}
        self.assertContains(self.add(make_product(stock=1), 2), "Only 1 is left.", status_code=422)

    def test_a_refused_number_is_shown_at_its_own_line(self):
        self.add(self.vase)
        self.add(self.poster)

        rows = self.set(self.poster, 100).context["rows"]

        assert [(line.product, bool(form.errors)) for line, form in rows] == [(self.vase, False), (self.poster, True)]

    def test_sold_out_product_is_refused(self):
        self.assertContains(self.add(make_product(stock=0), 1), "Sold out", status_code=422)

    def test_a_cart_has_a_hundred_lines_at_most(self):
        self.add(self.vase)
        session = self.client.session
        session["cart"] |= {str(10**6 + number): {"quantity": 1, "price": "1"} for number in range(98)}
        session.save()

        assert self.add(self.poster).status_code == 302
        page = self.add(make_product("Third"))
        self.assertContains(page, "There are 100 different products in your cart", status_code=422)
        assert self.add(self.poster).status_code == 302
        assert self.held() == {"Vase": 1, "Poster": 2}

    def test_unavailable_or_unknown_product_is_404(self):  # D68
        assert self.add(make_product(is_on_show=False)).status_code == 404
        assert self.client.post("/cart/add/999999/", {"quantity": 1}).status_code == 404
        assert self.client.post(f"/cart/add/{2**63}/", {"quantity": 1}).status_code == 404

    def test_a_page_cannot_be_added_by_link(self):
        for path in ["add/1/", "set/1/", "remove/1/", "coupon/", "coupon/remove/"]:
            assert self.client.get(f"/cart/{path}").status_code == 405


class ChangeTests(CartCase):
    def change(self, product: Product, **fields: object) -> None:
        Product.objects.filter(pk=product.pk).update(**fields)

    def told(self) -> list[str]:
        return self.shown().changes

    def test_deleted_product_drops_out_and_is_told_once(self):  # D66
        self.add(self.vase)
        self.add(self.poster)
        self.poster.delete()

        assert self.told() == ["A product in your cart no longer exists and was taken out."]
        for product in (gone := [make_product(), make_product()]):
            self.add(product)
        Product.objects.filter(pk__in=[product.pk for product in gone]).delete()
        assert self.told() == ["2 products in your cart no longer exist and were taken out."]
        assert self.told() == []
        assert self.held() == {"Vase": 1}

    def test_removing_what_is_gone_is_no_error(self):  # D66
        self.add(self.poster)
        Product.objects.filter(pk=self.poster.pk).delete()

        self.assertRedirects(self.remove(self.poster), CART)
        self.assertRedirects(self.client.post("/cart/set/999/", {"quantity": 1}), CART)

    def test_unavailable_product_drops_out(self):  # D68
        self.add(self.vase)
        self.change(self.vase, is_on_show=False)

        assert self.told() == ["Vase is no longer for sale and was taken out."]
        assert self.shown().is_empty

    def test_sold_out_product_drops_out(self):
        self.add(self.vase)
        self.change(self.vase, stock=0)

        assert self.told() == ["Vase has sold out and was taken out."]

    def test_quantity_follows_the_stock(self):
        self.add(self.vase, 4)
        self.change(self.vase, stock=2)

        assert self.told() == ["Only 2 of Vase are left, so the quantity was lowered."]
        assert self.told() == []
        assert self.held() == {"Vase": 2}

    def test_price_is_the_catalogues_and_its_change_is_told_once(self):  # D69
        self.add(self.vase)
        self.change(self.vase, price=Decimal("120"))

        cart = self.shown()

        assert cart.total == Decimal("120")
        assert cart.changes == ["Vase now costs €120.00, more than when you added it (€40.00)."]
        assert self.told() == []

    def test_price_gone_down_is_told_too(self):
        self.add(self.vase)
        self.change(self.vase, price=Decimal("30"))

        assert "less than" in self.told()[0]


class SessionTests(CartCase):
    def test_visitors_get_no_session_until_something_is_added(self):  # D83
        for path in ["/shop/", self.vase.get_absolute_url(), CART, CART]:
            assert not self.client.get(path).cookies
        self.remove(self.vase)
        self.client.post("/cart/coupon/remove/")
        assert not Session.objects.exists()

        self.add(self.vase)
        assert Session.objects.count() == 1

    def test_visitor_without_a_session_costs_no_session_query(self):
        with self.assertNumQueries(0):
            self.client.get(CART)

    def test_reading_the_cart_writes_nothing(self):
        self.add(self.vase)
        before = Session.objects.values().get()

        self.client.get(CART)

        assert Session.objects.values().get() == before

    def test_cart_page_takes_two_queries_however_many_lines(self):
        for count in (10, 20):
            for _ in range(count):
                self.add(make_product())

            with self.assertNumQueries(2):  # the session, the products
                self.client.get(CART)

    def test_what_a_session_of_another_release_holds_is_left_out(self):
        most = {"quantity": 99, "price": "1"}
        assert parse({"1": most, "2": {"quantity": 100, "price": "1"}}) == {1: most}
        good = {"quantity": 1, "price": "2.50"}
        odd = {"5": {"quantity": 0, "price": "1"}, "6": {"quantity": "x", "price": "1"}, "7": 3, "x": good, "8": {}}

        assert parse({"4": good, **odd, "9": {"quantity": 1, "price": "abc"}}) == {4: good}
        assert parse(None) == parse([1]) == parse("x") == {}
