"""The way to Stripe: how long a pay page lives, how often it is opened anew, and what Stripe is told."""

from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from core.tests.clock import MOMENT, stopped
from orders.models import Order
from orders.tests.factories import make_item, make_order
from payment import attempts, fulfil, gateway
from payment.models import CheckoutAttempt, Problem
from payment.tests.stand_in import StripeTestCase


class TimeTests(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.now = timezone.now()
        self.enterContext(stopped(self.now))

    def opened(self, *, waits):
        """Press Pay for an order that waits so long yet; return how long it and its pay page last then."""
        order = make_order(expires_at=self.now + waits)
        session = self.simulator.ledger.sessions[self.open_session(order)]
        order.refresh_from_db()
        page = order.attempts.get().expires_at
        assert session["expires_at"] == int(page.timestamp())
        return order.expires_at - self.now, page - self.now

    def test_an_order_waits_35_minutes_again_from_when_pay_is_pressed_and_its_page_31(self):
        assert self.opened(waits=timedelta(minutes=5)) == (timedelta(minutes=35), timedelta(minutes=31))

    def test_an_order_with_time_enough_for_stripe_keeps_it(self):
        enough = timedelta(minutes=34, seconds=30)

        assert self.opened(waits=enough) == (enough, timedelta(minutes=30, seconds=30))
        assert self.opened(waits=enough - MOMENT) == (timedelta(minutes=35), timedelta(minutes=31))
        assert self.opened(waits=timedelta(hours=5)) == (timedelta(hours=5), timedelta(hours=4, minutes=56))


class NumberTests(StripeTestCase):
    def test_the_twentieth_attempt_is_the_last(self):
        order = make_order()
        CheckoutAttempt.objects.create(
            order=order, n=19, idempotency_key="x", expires_at=timezone.now(), status="failed"
        )

        assert self.open_session(order)

        assert order.attempts.first().n == 20
        order.attempts.update(status="failed")
        with pytest.raises(attempts.NotPayable):
            attempts.start(order.token)

    def test_stripe_that_refuses_is_asked_three_times_with_a_key_each_and_staff_are_told(self):
        order = make_order()
        refuses = mock.patch.object(gateway, "create_session", side_effect=gateway.Refused("no"))

        with refuses as asked, pytest.raises(gateway.Unavailable):
            attempts.start(order.token)

        assert len({call.kwargs["key"] for call in asked.call_args_list}) == asked.call_count == 3
        assert list(order.attempts.values_list("n", "status")) == [(3, "failed"), (2, "failed"), (1, "failed")]
        assert (Problem.objects.get().order, Order.objects.get().is_payable) == (order, True)

    def test_nothing_that_talks_to_stripe_does_so_inside_a_transaction(self):
        order = make_order()
        session = gateway.get_session(self.open_session(order))
        for act in (
            lambda: attempts.start(order.token),
            lambda: attempts.let_go(order),
            lambda: fulfil.settle(session),
            lambda: fulfil.pay_nothing(order),
        ):
            with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
                act()


class WhatStripeIsToldTests(StripeTestCase):
    def sold(self, order):
        """Return the name, price of one and number of each line of the order's pay page."""
        items = self.simulator.ledger.items[self.open_session(order)]
        return [(item["description"], item["price"]["unit_amount"], item["quantity"]) for item in items]

    def test_its_pages_lead_back_to_ours(self):
        order = make_order()
        session = self.simulator.ledger.sessions[self.open_session(order)]
        browser = self.client.session
        browser["orders"] = [order.token]
        browser.save()

        back = self.client.get(session["cancel_url"])
        done = self.client.get(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))

        self.assertContains(back, "Pay €12.50")
        assert (done.status_code, done.context["order"]) == (200, order)

    def test_each_line_and_the_shipping_are_named(self):
        lines = [(make_item("2.00", name="Pen"), 3), (make_item("5.00", name="Ink"), 1)]
        order = make_order(lines=lines, shipping=Decimal("4.90"), total=Decimal("15.90"))

        assert self.sold(order) == [("Pen", 200, 3), ("Ink", 500, 1), ("Shipping", 490, 1)]

    def test_a_hundred_lines_are_named_and_more_are_one(self):
        order = make_order(lines=[(make_item("2.00"), 1) for _ in range(100)])
        assert len(self.sold(order)) == 100

        order = make_order(lines=[(make_item("2.00"), 1) for _ in range(100)], shipping=Decimal(1), total=Decimal(201))
        assert self.sold(order) == [(f"Order {order}", 20100, 1)]

    def test_lines_that_do_not_make_the_total_are_charged_as_one(self):
        for total, discount in (("12.49", "0"), ("12.51", "0"), ("11.00", "1.00")):
            order = make_order(total=Decimal(total), discount=discount)
            whole = int((Decimal(total) + Decimal(discount)) * 100)
            assert self.sold(order) == [(f"Order {order}", whole, 1)]

    def test_a_discount_bears_the_coupons_code_as_far_as_stripe_takes_it(self):
        for code, name in (("SUMMER", "SUMMER"), ("", "Discount"), ("X" * 50, "X" * 40)):
            self.simulator.ledger.coupons.clear()
            self.open_session(make_order(discount="2.00", coupon_code=code))
            [coupon] = self.simulator.ledger.coupons.values()
            assert (coupon["name"], coupon["amount_off"], coupon["currency"]) == (name, 200, "eur")


class DashboardTests(StripeTestCase):
    def test_a_payment_links_to_where_it_can_be_seen(self):
        simulator, test, live = self.simulator.url, "sk_test_x", "rk_live_x"
        for base, key, intent, address in [
            (simulator, test, "pi_1", f"{simulator}/payments/pi_1"),
            ("", test, "pi_1", "https://dashboard.stripe.com/test/payments/pi_1"),
            ("", live, "pi_1", "https://dashboard.stripe.com/payments/pi_1"),
            ("", "sk_live_x", "pi_1", "https://dashboard.stripe.com/payments/pi_1"),
            ("", live, "", ""),
        ]:
            with override_settings(STRIPE_API_BASE=base, STRIPE_SECRET_KEY=key):
                assert gateway.dashboard_url(intent) == address
