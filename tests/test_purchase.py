"""What a guest's whole way costs, from the front page to the page of the paid order: the number the shop is measured by."""

from unittest.mock import Mock, patch

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.jobs import background
from orders.models import Order
from payment.tests.stand_in import StripeRaceTestCase
from shop.tests.factories import make_product

# Statements by request, without BEGIN, COMMIT and savepoints; a number that falls is written down here.
ASKED = {
    "front page": 2,
    "shop": 1,
    "product": 1,
    "add": 2,
    "cart": 2,
    "checkout": 2,
    "place": 9,
    "pay": 6,
    "paid": 16,
    "order": 6,
}
TRANSACTIONS = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
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
        self.asked[name] = [query["sql"] for query in queries if not query["sql"].startswith(TRANSACTIONS)]
        return answer

    def buy(self, products):
        """Buy one of each as a new guest, with every request that a browser makes; return what each asked."""
        self.client, self.asked = self.client_class(), {}
        self.step("front page", "get", reverse("home"))
        self.step("shop", "get", reverse("shop:product_list"))
        for product in products:
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
        self.pay()
        return self.asked

    def pay(self):
        order = Order.objects.latest("pk")
        session_id = order.attempts.get().session_id
        self.simulator.ledger.pay(session_id)
        page = self.step("paid", "get", f"{reverse('payment:completed')}?session_id={session_id}")
        self.assertContains(page, "Thank you, your order is paid")
        self.assertContains(self.step("order", "get", order.get_absolute_url()), "Invoice")

    def test_a_guests_purchase_asks_no_more_than_is_written_down(self):
        product = make_product("Notebook", stock=5)
        self.buy([product])  # the shipping rates are read once a minute

        asked = self.buy([product])

        numbers = {name: len(statements) for name, statements in asked.items()}
        assert numbers == ASKED, "\n".join(f"{name}: {sql[:250]}" for name in asked for sql in asked[name])

    def test_five_products_ask_five_times_for_their_stock_and_for_nothing_else(self):
        products = [make_product(f"Notebook {number}", stock=5) for number in range(5)]
        self.buy(products)

        asked = self.buy(products)

        more = {name: len(asked[name]) - ASKED[name] for name in ASKED if name not in ("product", "add")}
        assert {name: number for name, number in more.items() if number} == {"place": 4, "paid": 1}
