"""
What we rely on Stripe for, held against the simulator in every run, and against Stripe's test mode when
STRIPE_LIVE_TEST_KEY is set, so that the simulator cannot drift from what it stands for unseen.
"""

import json
import os
import time
import uuid
from pathlib import Path

import pytest
import stripe
from django.conf import settings
from django.test import SimpleTestCase

from payment import gateway
from payment.simulator import Simulator, objects
from payment.tests.contract import complaints
from payment.tests.stand_in import API_KEY, SECRET
from payment.tests.test_simulator import SimulatorTestCase

CLASSES = {
    "checkout.session": stripe.checkout.Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "balance_transaction": stripe.BalanceTransaction,
    "coupon": stripe.Coupon,
    "event": stripe.Event,
    "item": stripe.LineItem,
    "price": stripe.Price,
}
# The sample objects that Stripe publishes with its API description: github.com/stripe/openapi, fixtures3.json.
FIXTURES = Path(os.environ.get("STRIPE_FIXTURES") or settings.BASE_DIR.parent / "shared" / "stripe" / "fixtures.json")
# What a sample has and we leave out, or the other way round, each for a reason.
ALLOWED = {
    "charge.refunds: missing",  # only there when asked for by `expand`
    "charge.payment_method_details.card: missing",  # of no use to anybody here
    "refund.destination_details.card: missing",
    "dispute.evidence_details.submission_method: unknown",  # newer than the samples
    "dispute.payment_method_details: missing",
}


def differences(sample, made, where):
    """Name the fields that one has and the other has not, and those of another type, all the way down."""
    if where in ("event.data.object", "payment_intent.last_payment_error") or where.endswith(".metadata"):
        return  # whatever the event is about or went wrong: the samples show one of many
    for name in sorted(set(sample) | set(made)):
        path = f"{where}.{name}"
        if name not in made or name not in sample:
            found = f"{path}: {'missing' if name not in made else 'unknown'}"
            if found not in ALLOWED:
                yield found
        elif sample[name] is not None and made[name] is not None:
            if type(sample[name]) is not type(made[name]):
                yield f"{path}: {made[name]!r} where Stripe has {sample[name]!r}"
            elif isinstance(made[name], dict):
                yield from differences(sample[name], made[name], path)


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


class ObjectsTests(SimulatorTestCase):
    """The simulator's objects are Stripe's: by the SDK's annotations and by Stripe's own samples."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ledger = cls.simulator.ledger
        coupon = cls.v1.coupons.create({"amount_off": 100, "currency": "eur"})
        test = cls("params")
        session = cls.sessions.create(test.params(discounts=[{"coupon": coupon.id}]))
        ledger.decline(session.id)
        ledger.pay(session.id)
        intent = ledger.sessions[session.id]["payment_intent"]
        ledger.refund(intent, amount=100)
        ledger.dispute(intent)
        cls.made = {
            "checkout.session": ledger.sessions[session.id],
            "item": ledger.items[session.id][0],
            "price": ledger.items[session.id][0]["price"],
            "payment_intent": ledger.intents[intent],
            "charge": next(iter(ledger.charges.values())),
            "refund": next(iter(ledger.refunds.values())),
            "dispute": next(iter(ledger.disputes.values())),
            "balance_transaction": next(iter(ledger.disputes.values()))["balance_transactions"][0],
            "coupon": ledger.coupons[coupon.id],
            "event": ledger.events[0],
        }

    def test_objects_have_every_required_field_and_none_unknown(self):
        for kind, made in self.made.items():
            with self.subTest(kind):
                assert complaints(CLASSES[kind], made, kind) == []

    def test_the_check_itself_finds_what_is_missing_unknown_or_of_another_type(self):
        made = {**self.made["refund"], "amount": "100", "colour": "red"}
        del made["currency"]

        found = complaints(stripe.Refund, made, "refund")

        assert len(found) == 3

    @pytest.mark.skipif(
        not FIXTURES.is_file(), reason="needs Stripe's sample objects: set STRIPE_FIXTURES to their file"
    )
    def test_objects_have_the_fields_of_stripes_samples_and_their_types(self):
        samples = json.loads(FIXTURES.read_text())
        for kind in sorted(set(samples) & set(self.made)):
            with self.subTest(kind):
                assert list(differences(samples[kind], self.made[kind], kind)) == []

    def test_the_comparison_finds_what_is_missing_new_or_of_another_type(self):
        sample = {"id": "re_1", "amount": 1, "reason": None, "card": {"brand": "visa"}}

        assert list(differences(sample, {"id": 1, "reason": "x", "card": {}, "colour": "red"}, "refund")) == [
            "refund.amount: missing",
            "refund.card.brand: missing",
            "refund.colour: unknown",
            "refund.id: 1 where Stripe has 're_1'",
        ]

    def test_api_version_is_the_sdks(self):
        assert stripe.StripeClient("x")._requestor._options.stripe_version == objects.API_VERSION


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
