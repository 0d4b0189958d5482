"""What a guest's whole way to the pay page costs, from the product's page on: the number the shop is measured by."""

from unittest.mock import Mock, patch

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.jobs import background
from payment.tests.stand_in import StripeRaceTestCase
from shop.tests.factories import make_product

MOST = 25
CONTACT = {
    "email": "charlie@example.com",
    "first_name": "Charlie",
    "last_name": "Stranger",
    "address": "1 Paper Lane",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "terms": "on",
}


@patch.object(background, "start", Mock())  # the mail leaves behind the buyer's back
class PurchaseTests(StripeRaceTestCase):  # in transactions of its own: inside TestCase's no answer is kept
    def step(self, name, method, address, data=None):
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(self.client, method)(address, data, headers={"Sec-Fetch-Site": "same-origin"})
        asked = [
            query["sql"]
            for query in queries
            if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
        ]
        self.asked += [f"{name}: {sql}" for sql in asked]
        return answer

    def buy(self, product):
        """Go to the pay page as a new guest and return the statements it took."""
        self.client, self.asked = self.client_class(), []
        self.step("product", "get", product.get_absolute_url())
        self.step("add", "post", reverse("cart:cart_add", args=[product.pk]), {"quantity": 1})
        self.step("cart", "get", reverse("cart:cart_detail"))
        checkout = self.step("checkout", "get", reverse("orders:order_create"))
        order = {
            **CONTACT,
            "checkout_key": checkout.context["form"]["checkout_key"].value(),
            "seen_total": str(checkout.context["quote"].total),
        }
        placed = self.step("place", "post", reverse("orders:order_create"), order)
        assert placed.status_code == 307
        assert placed["Location"].startswith(reverse("payment:process"))
        paying = self.step("pay", "post", placed["Location"], order)
        assert paying["Location"].startswith(self.simulator.url)
        return self.asked

    def test_a_guests_way_to_the_pay_page_takes_at_most_25_queries(self):
        product = make_product("Notebook", stock=5)
        self.buy(product)  # the shipping rates are read once a minute

        asked = self.buy(product)

        assert len(asked) <= MOST, "\n".join(sql[:250] for sql in asked)
