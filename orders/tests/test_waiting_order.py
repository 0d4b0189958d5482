"""An empty cart leads back to the order that waits to be paid."""

from datetime import timedelta

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from orders.tests.factories import make_order

CART = reverse("cart:cart_detail")


class WaitingOrderTests(TestCase):
    def setUp(self):
        self.alice = make_user("alice")

    def remember(self, *orders):
        session = self.client.session
        session["orders"] = [order.token for order in orders]
        session.save()

    def test_newest_order_that_can_be_paid_is_shown(self):
        older, waiting, paid = make_order(), make_order(), make_order(paid=True)
        late, undone = make_order(expires_at=timezone.now() - timedelta(minutes=1)), make_order()
        undone.give_up(by="buyer")
        self.remember(older, waiting, paid, late, undone)

        page = self.client.get(CART)

        self.assertContains(page, f"Your order #{waiting.pk} over")
        self.assertContains(page, f"{reverse('payment:process')}?order={waiting.token}")

    def test_a_member_finds_theirs_in_any_browser_and_nobody_elses(self):
        order = make_order(buyer=self.alice)
        self.client.force_login(self.alice)
        self.assertContains(self.client.get(CART), order.token)

        self.client.force_login(make_user("charlie"))
        self.assertNotContains(self.client.get(CART), "waits to be paid")

    def test_a_stranger_sees_none(self):
        make_order()

        self.assertNotContains(self.client.get(CART), "waits to be paid")
