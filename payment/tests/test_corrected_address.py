from django.urls import reverse

from orders.models import Order
from orders.tests.factories import CONTACT, make_item
from payment.tests.test_views import PaymentPageTestCase


class CorrectedAddressTests(PaymentPageTestCase):
    """The buyer has seen the pay page, goes back and corrects the address they had mistyped."""

    def send(self, **changes):
        fields = {**CONTACT, "terms": "on", "seen_total": "12.50", "checkout_key": self.key} | changes
        self.client.post(reverse("orders:order_create"), fields, headers={"Sec-Fetch-Site": "same-origin"})
        self.press_pay(Order.objects.get())

    def setUp(self):
        super().setUp()
        headers = {"Sec-Fetch-Site": "same-origin"}
        self.client.post(reverse("cart:cart_add", args=[make_item("12.50").pk]), {"quantity": 1}, headers=headers)
        self.key = self.client.get(reverse("orders:order_create")).context["form"]["checkout_key"].value()

    def sessions(self):
        sessions = self.simulator.ledger.sessions.values()
        return [(session["customer_email"], session["status"]) for session in sessions]

    def test_the_pay_page_asks_for_the_right_address_and_the_old_one_is_closed(self):
        self.send(email="ada@exmaple.com")
        self.send(email="ada@example.com")

        assert self.sessions() == [("ada@exmaple.com", "expired"), ("ada@example.com", "open")]
        assert Order.objects.get().is_payable

    def test_the_same_address_keeps_the_page(self):
        self.send()
        self.send(city="Bonn")

        assert self.sessions() == [("ada@example.com", "open")]
