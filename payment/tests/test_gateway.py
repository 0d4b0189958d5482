"""How Stripe is asked: for how long, how often, and what becomes of its answers."""

from unittest import mock

import pytest
import requests
import stripe
from django.test import SimpleTestCase, override_settings

from orders.models import Order
from orders.tests.factories import make_order
from payment import fulfil, gateway
from payment.models import Dispute
from payment.storable import storable
from payment.tests.stand_in import StripeTestCase


@override_settings(STRIPE_SECRET_KEY="sk_test_a", STRIPE_API_BASE="")
class ClientTests(SimpleTestCase):
    def test_pinned_version_is_the_sdks_own(self):
        assert stripe.StripeClient("x")._requestor._options.stripe_version == gateway.API_VERSION

    def test_client_follows_the_settings(self):
        first = gateway._client()
        assert gateway._client() is first
        with override_settings(STRIPE_SECRET_KEY="sk_test_b"):
            assert gateway._client() is not first

    def test_without_a_key_stripe_is_not_there(self):
        with override_settings(STRIPE_SECRET_KEY=""), pytest.raises(gateway.Unavailable):
            gateway.get_session("cs_1")
            assert not gateway.is_configured()
        assert gateway.is_configured()

    def waits(self, *, within=None, passed=0):
        """Return the seconds to connect and to answer of each try, when Stripe cannot be reached."""
        asked = []

        def refuse(_adapter, _request, *, timeout, **_options):
            asked.append(tuple(round(seconds, 3) for seconds in timeout))
            raise requests.ConnectionError("refused")

        with (
            mock.patch.object(requests.adapters.HTTPAdapter, "send", refuse),
            mock.patch.object(gateway, "time") as clock,
            mock.patch("time.sleep"),
            pytest.raises(gateway.Unavailable),
        ):
            clock.monotonic.return_value = 1000
            if within is None:
                gateway.get_session("cs_1")
            else:
                with gateway.within(within):
                    clock.monotonic.return_value = 1000 + passed
                    gateway.get_session("cs_1")
        return asked

    def test_it_is_given_three_tries_of_three_seconds_to_connect_and_ten_to_answer(self):
        assert self.waits() == [(3, 10)] * 3

    def test_a_page_that_waits_bounds_them_all(self):
        for seconds, waits in [
            (100, [(3, 10)] * 3),
            (8, [(3, 5)] * 3),
            (4, [(2, 2)] * 3),
            (1.51, [(0.755, 0.755)] * 3),
            (1.5, [(0.75, 0.75)]),
            (0.1, [(0.1, 0.1)]),
        ]:
            assert self.waits(within=seconds) == waits, seconds

    def test_once_its_time_is_over_a_call_still_ends(self):
        assert self.waits(within=5, passed=9) == [(0.1, 0.1)]

    def test_the_next_page_has_its_own_time(self):
        self.waits(within=1)

        assert self.waits() == [(3, 10)] * 3


class AnswerTests(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.order = make_order()
        self.session_id = self.open_session(self.order)
        self.ledger = self.simulator.ledger

    def test_a_bank_payment_is_on_its_way_until_its_intent_says_that_it_failed(self):
        session = self.ledger.pay(self.session_id, method="sepa_debit")
        for status, state in [
            ("processing", "processing"),
            ("requires_action", "processing"),
            ("requires_payment_method", "failed"),
            ("canceled", "failed"),
        ]:
            self.ledger.intents[session["payment_intent"]]["status"] = status
            assert gateway.get_session(self.session_id).state == state, status

    def test_a_session_that_needs_no_payment_counts_as_paid(self):
        self.ledger.sessions[self.session_id].update(status="complete", payment_status="no_payment_required")

        found = gateway.get_session(self.session_id)

        assert (found.state, found.payment_intent) == ("paid", "")

    def test_a_dispute_with_an_endless_reason_is_kept(self):
        self.ledger.pay(self.session_id)
        self.tell_all()
        self.ledger.dispute(self.order.payments.get().payment_intent, reason="x" * 120)
        self.tell_all()

        assert Dispute.objects.get().reason == "x" * 100

    def test_a_coupon_that_is_refused_for_another_reason_than_that_it_exists_is_an_error(self):
        for amount in (500, 700):
            gateway.ensure_coupon("once", amount=amount, currency="eur", name="Once")
        assert [coupon["amount_off"] for coupon in self.ledger.coupons.values()] == [500]

        with pytest.raises(gateway.Refused):
            gateway.ensure_coupon("twice", amount=0, currency="eur", name="Twice")

    def test_an_order_whose_bank_payment_was_cancelled_is_cancelled(self):
        session = self.ledger.pay(self.session_id, method="sepa_debit")
        self.ledger.intents[session["payment_intent"]]["status"] = "canceled"

        fulfil.fulfil(self.session_id)

        self.order.refresh_from_db()
        assert self.order.status == Order.Status.CANCELLED


def nested(depth, shell):
    value = "x"
    for _ in range(depth):
        value = shell(value)
    return value


@pytest.mark.parametrize("shell", [lambda inner: [inner], lambda inner: {"k": inner}])
def test_json_is_stored_up_to_fifty_deep(shell):
    assert storable(nested(50, shell)) == nested(50, shell)
    with pytest.raises(ValueError, match="deep"):
        storable(nested(51, shell))
