"""The simulator refuses what Stripe refuses, and does to a payment what buyers and banks do."""

import json
import urllib.error
import urllib.request
from unittest import mock

import pytest
import stripe
from django.urls import reverse

from orders.tests.factories import make_order
from payment.simulator import cards
from payment.simulator.courier import Endpoint
from payment.tests.stand_in import SECRET, StripeTestCase
from payment.tests.test_simulator import SimulatorTestCase


class LimitTests(SimulatorTestCase):
    def line(self, amount, currency="eur", quantity=1):
        product = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Tea"}}
        return {"price_data": product, "quantity": quantity}

    def refused(self, **changes):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            self.create(**changes)
        return caught.value.code

    def test_totals_beyond_the_limits_are_refused(self):
        assert self.refused(line_items=[self.line(49)]) == "amount_too_small"
        assert self.refused(line_items=[self.line(100_000_000)]) == "amount_too_large"
        assert self.refused(line_items=[self.line(50_000_000, quantity=2)]) == "amount_too_large"
        assert self.refused(line_items=[self.line(49, "jpy")]) == "amount_too_small"
        assert self.create(line_items=[self.line(99_999_999)]).amount_total == 99_999_999
        assert self.create(line_items=[self.line(50)]).amount_total == 50
        assert self.create(line_items=[self.line(999_999_999_999, "idr")]).amount_total == 999_999_999_999

    def test_discount_must_leave_enough_or_nothing(self):
        coupon = self.v1.coupons.create({"amount_off": 460, "currency": "eur"}).id
        assert self.refused(line_items=[self.line(500)], discounts=[{"coupon": coupon}]) == "amount_too_small"

        free = self.create(line_items=[self.line(460)], discounts=[{"coupon": coupon}])

        assert free.payment_status == "no_payment_required"

    def test_special_currencies_are_as_special_as_stripes(self):
        for currency, units in (("bhd", 1255), ("ugx", 550), ("isk", 12_345)):
            assert self.refused(line_items=[self.line(units, currency)]) == "invalid_charge_amount"
        for currency, units in (("bhd", 1250), ("ugx", 500), ("isk", 12_300), ("jpy", 1255)):
            assert self.create(line_items=[self.line(units, currency)]).amount_total == units
        assert self.refused(line_items=[self.line(500, "xxx")]) is None

    def test_a_session_has_a_hundred_lines_at_most(self):
        assert self.create(line_items=[self.line(100)] * 100).amount_total == 10_000
        assert self.refused(line_items=[self.line(100)] * 101) == "parameter_invalid"


class AfterwardsTests(SimulatorTestCase):
    def paid(self, card=cards.PAYS):
        session = self.create()
        assert self.submit(session.url, card=card, email="")[0] == 303
        return self.sessions.retrieve(session.id).payment_intent

    def charge(self, intent):
        found = self.v1.payment_intents.retrieve(intent).latest_charge
        return self.v1.charges.retrieve(found, {"expand": ["refunds"]})

    def dispute(self, intent):
        return self.v1.disputes.list({"payment_intent": intent}).data[0]

    def kinds(self):
        return [event["type"] for event in self.simulator.ledger.events]

    def test_each_declining_card_says_why_in_code_and_words(self):
        for number, decline in cards.DECLINES.items():
            session = self.create()
            status, _, text = self.submit(session.url, card=number, email="")
            intent = self.v1.payment_intents.retrieve(self.sessions.retrieve(session.id).payment_intent)
            error = intent.last_payment_error.to_dict()

            assert (status, error["code"]) == (402, decline.code)
            assert error.get("decline_code", "") == decline.decline_code
            assert decline.message.split("'")[0] in text

    def test_person_declines_by_code(self):
        session = self.create()

        assert self.submit(session.url, method="decline", code="insufficient_funds", card=cards.PAYS)[0] == 402

        intent = self.sessions.retrieve(session.id, {"expand": ["payment_intent"]}).payment_intent
        assert intent.last_payment_error.decline_code == "insufficient_funds"

    def test_charge_lists_its_refunds_when_asked(self):
        intent = self.paid()
        refund = self.v1.refunds.create({"payment_intent": intent, "amount": 5})

        assert [one.id for one in self.charge(intent).refunds.data] == [refund.id]
        assert "refunds" not in self.v1.charges.retrieve(self.charge(intent).id).to_dict()

    def test_pending_refund_arrives_later(self):
        refund = self.v1.refunds.create({"payment_intent": self.paid("4000 0000 0000 7726")})
        assert refund.status == "pending"

        self.simulator.ledger.finish_refunds(older_than=0)

        assert self.v1.refunds.retrieve(refund.id).status == "succeeded"
        assert self.kinds()[0] == "refund.updated"

    def test_refund_comes_back_and_can_be_made_again(self):
        intent = self.paid("4000 0000 0000 5126")
        refund = self.v1.refunds.create({"payment_intent": intent})

        self.simulator.ledger.finish_refunds(older_than=0)

        assert self.v1.refunds.retrieve(refund.id).status == "failed"
        assert self.kinds()[:2] == ["refund.failed", "refund.updated"]
        assert self.charge(intent).amount_refunded == 0
        assert self.v1.refunds.create({"payment_intent": intent}).amount == 2500

    def test_disputed_charge_is_not_refunded_until_the_dispute_is_won(self):
        intent = self.paid("4000 0000 0000 0259")
        dispute = self.dispute(intent)
        assert (dispute.status, dispute.amount, [b.amount for b in dispute.balance_transactions]) == (
            "needs_response",
            2500,
            [-2500],
        )
        with pytest.raises(stripe.InvalidRequestError) as caught:
            self.v1.refunds.create({"payment_intent": intent})
        assert caught.value.code == "charge_disputed"

        self.simulator.ledger.review_dispute(dispute.id)
        self.simulator.ledger.close_dispute(dispute.id, won=True)

        assert sum(booked.amount for booked in self.dispute(intent).balance_transactions) == 0
        assert self.kinds()[:3] == [
            "charge.dispute.closed",
            "charge.dispute.funds_reinstated",
            "charge.dispute.updated",
        ]
        assert self.v1.refunds.create({"payment_intent": intent}).status == "succeeded"

    def test_inquiry_takes_no_money_unless_it_is_lost(self):
        first, second = self.paid("4000 0000 0000 1976"), self.paid("4000 0000 0000 1976")
        assert self.v1.refunds.create({"payment_intent": first, "amount": 5}).status == "succeeded"
        self.simulator.ledger.close_dispute(self.dispute(first).id, won=True)
        self.simulator.ledger.close_dispute(self.dispute(second).id, won=False)

        assert (self.dispute(first).status, self.dispute(first).balance_transactions) == ("warning_closed", [])
        assert (self.dispute(second).status, self.dispute(second).balance_transactions[0].amount) == ("lost", -2500)

    def test_what_has_ended_ends_only_once(self):
        intent = self.paid("4000 0000 0000 0259")
        dispute = self.dispute(intent).id
        self.simulator.ledger.close_dispute(dispute, won=False)

        for name, given in (
            ("close_dispute", {"dispute": dispute, "won": True}),
            ("review_dispute", {"dispute": dispute}),
            ("close_dispute", {"dispute": "du_none", "won": True}),
            ("refund_way", {"payment_intent": intent, "way": "sideways"}),
        ):
            with pytest.raises(urllib.error.HTTPError) as caught:
                self.control(name, given)
            assert caught.value.code in (400, 404)
        assert self.dispute(intent).status == "lost"

    def control(self, name, given):
        request = urllib.request.Request(
            f"{self.simulator.url}/_control/{name}", json.dumps(given).encode(), {"Content-Type": "application/json"}
        )
        return json.load(urllib.request.urlopen(request))

    def test_tests_do_all_of_it_through_the_control_api(self):
        intent = self.paid()
        self.control("refund_way", {"payment_intent": intent, "way": "pending"})
        refund = self.control("refund", {"payment_intent": intent, "amount": 100})
        self.control("settle_refund", {"refund": refund["id"]})
        self.control("return_refund", {"refund": refund["id"]})
        dispute = self.control("dispute", {"payment_intent": intent, "reason": "product_not_received"})
        self.control("review_dispute", {"dispute": dispute["id"]})
        self.control("close_dispute", {"dispute": dispute["id"], "won": False})
        session = self.create()
        self.control("decline", {"session": session.id, "code": "expired_card"})

        found = json.load(urllib.request.urlopen(f"{self.simulator.url}/_control/state"))
        assert found["refunds"][-1]["status"] == "failed"
        assert (found["disputes"][-1]["status"], found["disputes"][-1]["reason"]) == ("lost", "product_not_received")
        assert found["payment_intents"][-1]["last_payment_error"]["code"] == "expired_card"

    def test_person_does_all_of_it_in_the_panel(self):
        intent = self.paid()
        page = f"{self.simulator.url}/payments/{intent}"
        assert intent in self.submit(f"{self.simulator.url}/")[2]

        assert self.submit(page, act="dispute")[0] == 303
        assert "needs_response" in self.submit(page)[2]
        assert "cannot issue a refund" in self.submit(page, act="refund")[2]
        assert self.submit(page, act="win", id=self.dispute(intent).id)[0] == 303
        assert self.submit(page, act="refund")[0] == 303
        assert self.submit(page, act="return_refund", id=self.charge(intent).refunds.data[0].id)[0] == 303

        text = self.submit(page)[2]
        assert ">won<" in text and ">failed<" in text
        assert self.submit(page, act="sing")[0] == 400
        assert self.submit(f"{self.simulator.url}/payments/pi_none")[0] == 404

    def test_refund_for_a_reason_that_stripe_has_not_is_refused(self):
        with pytest.raises(stripe.InvalidRequestError):
            self.v1.refunds.create({"payment_intent": self.paid(), "reason": "whim"})


class EndpointTests(StripeTestCase):
    """Two endpoints with a secret each, as while a shop moves from one address to another."""

    def test_each_gets_every_event_signed_with_its_own_secret(self):
        courier, posted = self.simulator.courier, []
        courier.url = "http://127.0.0.1:1/one"
        courier.others = [Endpoint("http://b/", "whsec_b")]
        self.addCleanup(setattr, courier, "others", [])
        with mock.patch.object(courier, "_post", lambda event, endpoint: posted.append(endpoint) or 200):
            self.simulator.ledger.pay(self.open_session(make_order()))
            assert courier.drain(200)

        assert sorted(posted) == sorted(
            [("http://127.0.0.1:1/one", SECRET), ("http://b/", "whsec_b")] * len(self.simulator.ledger.events)
        )

    def test_site_takes_events_of_both_and_acts_once(self):
        with self.settings(STRIPE_WEBHOOK_SECRET=f"whsec_new, {SECRET}"):
            order = make_order()
            self.simulator.ledger.pay(self.open_session(order))
            for event in self.new_events():
                body = json.dumps(event).encode()
                for secret, status in ((SECRET, 200), ("whsec_new", 200), ("whsec_other", 400), ("", 400)):
                    signature = self.simulator.courier.signature(body, secret or " ")
                    answer = self.client.post(
                        reverse("payment:webhook"),
                        body,
                        content_type="application/json",
                        headers={"Stripe-Signature": signature},
                    )
                    assert answer.status_code == status
