from django.test import Client
from django.urls import reverse

from account.tests.factories import PASSWORD, make_user
from cart.models import SavedCart
from cart.tests.test_cart import CartCase


class LoginTests(CartCase):
    def setUp(self):
        self.alice = make_user("alice")

    def log_in(self, client: Client | None = None) -> None:
        (client or self.client).force_login(self.alice)

    def type_password(self) -> None:
        self.client.post(reverse("login"), {"username": "alice", "password": PASSWORD})

    def test_visitors_cart_survives_the_login_and_is_saved(self):
        self.add(self.vase, 2)

        self.log_in()

        assert self.held() == {"Vase": 2}
        assert list(SavedCart.objects.get().items) == [str(self.vase.pk)]

    def test_saved_cart_joins_the_visitors_cart(self):
        self.log_in()
        self.add(self.vase, 3)
        self.client.logout()
        self.add(self.vase, 1)
        self.add(self.poster, 2)

        self.log_in()

        page = self.client.get("/cart/")
        self.assertNotContains(page, "from your last visit")  # both were in the visitor's cart as well
        assert self.held() == {"Vase": 3, "Poster": 2}
        assert {int(key) for key in SavedCart.objects.get().items} == {self.vase.pk, self.poster.pk}

    def test_cart_follows_the_member_to_another_device(self):
        self.log_in()
        self.add(self.vase, 3)
        phone = Client()

        self.log_in(phone)

        assert len(phone.get("/cart/").context["cart"]) == 3

    def test_what_comes_back_is_said_and_the_larger_number_of_each_counts(self):
        self.log_in()
        self.add(self.vase, 1)
        self.add(self.poster, 5)
        self.client.logout()
        self.add(self.vase, 2)

        self.type_password()

        self.assertContains(self.client.get("/cart/"), "1 product from your last visit is back in your cart.")
        assert self.held() == {"Vase": 2, "Poster": 5}
        self.client.logout()
        self.type_password()
        self.assertContains(self.client.get("/cart/"), "2 products from your last visit are back in your cart.")

    def test_a_full_cart_takes_in_as_many_lines_as_fit(self):
        saved = {str(10**6 + number): {"quantity": 1, "price": "1"} for number in range(98)}
        SavedCart.objects.create(owner=self.alice, items=saved | {str(10**7): {"quantity": 1, "price": "1"}})
        for product in (self.vase, self.poster):
            self.add(product)

        self.log_in()

        assert len(self.client.session["cart"]) == 100
        assert str(10**7) not in self.client.session["cart"]

    def test_removing_as_a_member_is_remembered(self):
        self.log_in()
        self.add(self.vase)
        self.remove(self.vase)
        self.client.logout()

        self.log_in()

        assert self.held() == {}

    def test_nothing_is_written_for_a_member_without_a_cart(self):
        self.log_in()

        assert not SavedCart.objects.exists()
