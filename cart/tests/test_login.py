from django.test import Client

from account.tests.factories import make_user
from cart.models import SavedCart
from cart.tests.test_cart import CartCase


class LoginTests(CartCase):
    def setUp(self):
        self.alice = make_user("alice")

    def log_in(self, client: Client | None = None) -> None:
        (client or self.client).force_login(self.alice)

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

        assert self.held() == {"Vase": 3, "Poster": 2}
        assert {int(key) for key in SavedCart.objects.get().items} == {self.vase.pk, self.poster.pk}

    def test_cart_follows_the_member_to_another_device(self):
        self.log_in()
        self.add(self.vase, 3)
        phone = Client()

        self.log_in(phone)

        assert len(phone.get("/cart/").context["cart"]) == 3

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
