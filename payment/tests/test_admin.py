from django.test import TestCase, override_settings

from account.tests.factories import make_user
from orders.tests.factories import make_order
from payment.models import Payment


class OrderPageTests(TestCase):
    @override_settings(STRIPE_SECRET_KEY="sk_test_x", STRIPE_API_BASE="")
    def test_order_shows_its_payment_with_the_way_to_stripe(self):
        order = make_order(paid=True)
        Payment.objects.create(order=order, payment_intent="pi_123", amount=1250, currency="EUR")
        self.client.force_login(make_user(staff=True))

        response = self.client.get(f"/admin/orders/order/{order.pk}/change/")

        self.assertContains(response, "https://dashboard.stripe.com/test/payments/pi_123")
        self.assertContains(response, "€12.50")
