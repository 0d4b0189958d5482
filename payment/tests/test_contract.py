"""
What we rely on Stripe for, held against the simulator in every run, and against Stripe's test mode when
STRIPE_LIVE_TEST_KEY is set, so that the simulator cannot drift from what it stands for unseen.
"""

import os
import time
import uuid

import pytest
import stripe
from django.test import SimpleTestCase

from payment import gateway
from payment.simulator import Simulator
from payment.tests.contract import complaints
from payment.tests.stand_in import API_KEY, SECRET


class Contract:
    v1: stripe._v1_services.V1Services

    def params(self, **changes):
        product = {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Tea"}}
        return {
            "mode": "payment",
            "line_items": [{"price_data": product, "quantity": 2}],
            "success_url": "http://127.0.0.1:8000/done?s={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1:8000/back",
            "client_reference_id": "7",
            "customer_email": "ada@example.com",
            "metadata": {"order": "7", "attempt": "co-7-1"},
            "payment_intent_data": {"metadata": {"order": "7"}},
            "expires_at": int(time.time()) + 1860,
        } | changes

    def create(self, key=None, **changes):
        options = {"idempotency_key": key} if key else {}
        return self.v1.checkout.sessions.create(self.params(**changes), options)

    def test_session_is_as_annotated_and_as_asked_for(self):
        session = self.create()

        assert complaints(stripe.checkout.Session, session.to_dict(), "session") == []
        assert (session.amount_total, session.currency, session.status) == (2500, "eur", "open")
        assert (session.payment_status, session.payment_intent, session.livemode) == ("unpaid", None, False)
        assert session.metadata.to_dict() == {"order": "7", "attempt": "co-7-1"}
        assert session.url.startswith(("https://checkout.stripe.com/", "http://127.0.0.1:"))

    def test_line_items_are_as_annotated(self):
        items = self.v1.checkout.sessions.line_items.list(self.create().id).data

        assert [complaints(stripe.LineItem, item.to_dict(), "item") for item in items] == [[]]

    def test_coupon_lowers_the_total_and_its_id_is_taken_once(self):
        coupon = {"id": f"test-{uuid.uuid4()}", "amount_off": 500, "currency": "eur", "duration": "once"}
        made = self.v1.coupons.create(coupon)

        assert complaints(stripe.Coupon, made.to_dict(), "coupon") == []
        assert self.create(discounts=[{"coupon": made.id}]).amount_total == 2000
        with pytest.raises(stripe.InvalidRequestError) as caught:
            self.v1.coupons.create(coupon)
        assert caught.value.code == "resource_already_exists"

    def test_same_key_replays_and_other_parameters_are_refused(self):
        key = str(uuid.uuid4())
        params = self.params()
        first = self.v1.checkout.sessions.create(params, {"idempotency_key": key})
        again = self.v1.checkout.sessions.create(params, {"idempotency_key": key})

        assert again.id == first.id
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        with pytest.raises(stripe.IdempotencyError):
            self.create(key, client_reference_id="8")

    def test_session_expires_once(self):
        session = self.create()

        assert self.v1.checkout.sessions.expire(session.id).status == "expired"
        with pytest.raises(stripe.InvalidRequestError):
            self.v1.checkout.sessions.expire(session.id)
        assert self.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]}).url is None

    def test_unknown_session_is_a_missing_resource(self):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            self.v1.checkout.sessions.retrieve("cs_test_none")
        assert caught.value.code == "resource_missing"

    def test_life_shorter_than_half_an_hour_is_refused(self):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            self.create(expires_at=int(time.time()) + 600)
        assert caught.value.param == "expires_at"

    def test_events_are_as_annotated(self):
        self.v1.checkout.sessions.expire(self.create().id)
        events = self.v1.events.list({"types": ["checkout.session.expired"], "limit": 3}).data

        assert events
        for event in events:
            found = complaints(stripe.Event, event.to_dict(), "event")
            assert found == [] and complaints(stripe.checkout.Session, event.data.object.to_dict(), "session") == []


class SimulatorContractTests(Contract, SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        simulator = cls.enterClassContext(Simulator(api_key=API_KEY, webhook_secret=SECRET))
        cls.v1 = stripe.StripeClient(API_KEY, base_addresses={"api": simulator.url}).v1


@pytest.mark.live
@pytest.mark.allow_hosts(["api.stripe.com"])
class StripeContractTests(Contract, SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        key = os.environ["STRIPE_LIVE_TEST_KEY"]
        assert "_test_" in key, "only a key of Stripe's test mode"
        cls.v1 = stripe.StripeClient(key, stripe_version=gateway.API_VERSION).v1
