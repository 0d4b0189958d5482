from django.test import TestCase, override_settings
from django.urls import reverse

from account.tests.factories import make_user
from orders.tests.factories import make_order
from payment.models import CheckoutAttempt, Payment
from payment.tests.stand_in import StripeTestCase


class OrderPageTests(TestCase):
    @override_settings(STRIPE_SECRET_KEY="sk_test_x", STRIPE_API_BASE="")
    def test_order_shows_its_payment_with_the_way_to_stripe(self):
        order = make_order(paid=True)
        Payment.objects.create(order=order, payment_intent="pi_123", amount=1250, currency="EUR")
        self.client.force_login(make_user(staff=True))

        response = self.client.get(f"/admin/orders/order/{order.pk}/change/")

        self.assertContains(response, "https://dashboard.stripe.com/test/payments/pi_123")
        self.assertContains(response, "€12.50")


class RowsTests(StripeTestCase):
    def test_rows_are_shown_and_not_edited(self):
        self.paid_order()
        self.client.force_login(make_user("staff", staff=True))

        for model in ("payment", "webhookevent", "checkoutattempt", "refund", "problem"):
            assert self.client.get(reverse(f"admin:payment_{model}_changelist")).status_code == 200
            assert self.client.get(reverse(f"admin:payment_{model}_add")).status_code == 403
        attempt = CheckoutAttempt.objects.get()
        page = self.client.get(reverse("admin:payment_checkoutattempt_change", args=[attempt.pk]))
        self.assertNotContains(page, 'name="_save"')
