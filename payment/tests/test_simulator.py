import base64
import http.client
import json
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import stripe
from django.test import SimpleTestCase

from core.tests.waiting import wait_until
from payment.simulator import Simulator
from payment.simulator.faults import ApiFault
from payment.tests.stand_in import API_KEY, SECRET


class SimulatorTestCase(SimpleTestCase):
    """One simulator, the official SDK, and a pay page that is used as a browser uses it."""

    webhook_url = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.simulator = cls.enterClassContext(
            Simulator(api_key=API_KEY, webhook_secret=SECRET, webhook_url=cls.webhook_url, backoff=(0.05, 0.05, 0.05))
        )
        client = stripe.StripeClient(API_KEY, base_addresses={"api": cls.simulator.url})
        cls.sessions, cls.v1 = client.v1.checkout.sessions, client.v1

    def setUp(self):
        self.simulator.faults.reset()

    def params(self, **changes):
        product = {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Tea"}}
        return {
            "mode": "payment",
            "line_items": [{"price_data": product, "quantity": 2}],
            "success_url": "http://127.0.0.1:8000/done?s={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1:8000/back",
            "metadata": {"order": "7"},
            "payment_intent_data": {"metadata": {"order": "7"}},
            "customer_email": "ada@example.com",
        } | changes

    def create(self, **changes):
        return self.sessions.create(self.params(**changes))

    def submit(self, url, **form):
        """Post a form of the pay page without following; returns status, headers and text."""
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=200)
        method = "POST" if form else "GET"
        connection.request(
            method, parts.path, urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text


class SessionTests(SimulatorTestCase):
    def test_session_has_amounts_page_and_a_day_to_live(self):
        before = int(time.time())
        session = self.create()
        after = int(time.time())

        assert (session.amount_total, session.currency, session.status) == (2500, "eur", "open")
        assert session.payment_status == "unpaid"
        assert before <= session.expires_at - 86400 <= after
        assert session.success_url.endswith(session.id)
        assert [item.description for item in self.sessions.line_items.list(session.id).data] == ["Tea"]

    def test_bad_parameters_are_refused_and_named(self):
        product = {"currency": "eur", "unit_amount": 100, "product_data": {"name": "Tea"}}
        for changes, param in [
            ({"success_url": "ftp://x"}, "success_url"),
            ({"success_url": "http://shop.example/"}, "success_url"),
            (
                {"line_items": [{"price_data": {**product, "unit_amount": -1}}]},
                "line_items[0][price_data][unit_amount]",
            ),
            (
                {"line_items": [{"price_data": {**product, "unit_amount": "1.5"}}]},
                "line_items[0][price_data][unit_amount]",
            ),
            ({"line_items": [{"price_data": {**product, "currency": "€"}}]}, "line_items[0][price_data][currency]"),
            ({"line_items": [{"price_data": product, "quantity": 0}]}, "line_items[0][quantity]"),
            ({"expires_at": int(time.time()) + 60}, "expires_at"),
            ({"expires_at": int(time.time()) + 90_000}, "expires_at"),
            ({"colour": "red"}, "colour"),
            ({"mode": "subscription"}, "mode"),
        ]:
            with self.subTest(param=param), pytest.raises(stripe.InvalidRequestError) as caught:
                self.create(**changes)
            assert caught.value.param == param

    def test_unknown_things_are_missing_resources(self):
        for look in (self.sessions, self.v1.payment_intents, self.v1.refunds, self.v1.coupons, self.v1.events):
            with pytest.raises(stripe.InvalidRequestError) as caught:
                look.retrieve("cs_test_none")
            assert caught.value.code == "resource_missing"

    def test_session_expires_by_itself(self):
        session = self.create(expires_at=int(time.time()) + 1860)

        self.simulator.ledger.advance(1900)
        self.addCleanup(self.simulator.ledger.advance, -1900)

        assert self.sessions.retrieve(session.id).status == "expired"

    def test_wrong_key_is_401(self):
        for key in ("sk_test_other", "x"):
            with pytest.raises(stripe.AuthenticationError):
                stripe.StripeClient(key, base_addresses={"api": self.simulator.url}).v1.events.list()

    def test_basic_and_bearer_keys_are_taken(self):
        basic = base64.b64encode(f"{API_KEY}:".encode()).decode()
        for header in (f"Basic {basic}", f"Bearer {API_KEY}"):
            request = urllib.request.Request(f"{self.simulator.url}/v1/events", headers={"Authorization": header})
            assert urllib.request.urlopen(request).status == 200

    def test_foreign_host_name_is_refused(self):
        request = urllib.request.Request(f"{self.simulator.url}/v1/events", headers={"Host": "evil.test"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        assert caught.value.code == 400


class IdempotencyTests(SimulatorTestCase):
    def test_server_error_is_replayed_too(self):
        self.simulator.faults.set(api=[ApiFault("500")])
        for _ in range(2):
            with pytest.raises(stripe.APIError):
                self.sessions.create(self.params(), {"idempotency_key": "three"})

    def test_refused_parameters_are_not_remembered(self):
        with pytest.raises(stripe.InvalidRequestError):
            self.sessions.create(self.params(mode="setup"), {"idempotency_key": "four"})

        assert self.sessions.create(self.params(), {"idempotency_key": "four"}).id

    def test_key_is_forgotten_after_a_day(self):
        first = self.sessions.create(self.params(), {"idempotency_key": "five"})

        self.simulator.ledger.advance(86_500)
        self.addCleanup(self.simulator.ledger.advance, -86_500)

        assert self.sessions.create(self.params(), {"idempotency_key": "five"}).id != first.id

    def test_key_in_use_is_a_conflict(self):
        self.simulator.api.in_flight.add("six")
        self.addCleanup(self.simulator.api.in_flight.discard, "six")

        with pytest.raises(stripe.APIError) as caught:
            self.sessions.create(self.params(), {"idempotency_key": "six"})
        assert (caught.value.http_status, caught.value.error.code) == (409, "idempotency_key_in_use")

    def test_effect_survives_a_cut_connection(self):
        self.simulator.faults.set(api=[ApiFault("close_after")])
        with pytest.raises(stripe.APIConnectionError):
            self.sessions.create(self.params(), {"idempotency_key": "seven"})

        answer = self.sessions.create(self.params(), {"idempotency_key": "seven"})

        assert answer.last_response.headers["Idempotent-Replayed"] == "true"


class RefundTests(SimulatorTestCase):
    def setUp(self):
        super().setUp()
        session = self.create()
        self.simulator.ledger.pay(session.id)
        self.intent = self.sessions.retrieve(session.id).payment_intent

    def test_parts_add_up_to_the_charge_and_no_further(self):
        self.v1.refunds.create({"payment_intent": self.intent, "amount": 1000})
        with pytest.raises(stripe.InvalidRequestError):
            self.v1.refunds.create({"payment_intent": self.intent, "amount": 1501})
        self.v1.refunds.create({"payment_intent": self.intent})

        with pytest.raises(stripe.InvalidRequestError) as caught:
            self.v1.refunds.create({"payment_intent": self.intent})
        assert caught.value.code == "charge_already_refunded"
        assert len(self.v1.refunds.list({"payment_intent": self.intent}).data) == 2

    def test_events_are_listed_newest_first_and_by_page(self):
        self.v1.refunds.create({"payment_intent": self.intent})

        kinds = [event.type for event in self.v1.events.list({"limit": 2}).data]

        assert kinds == ["charge.refunded", "refund.created"]
        every = list(self.v1.events.list({"limit": 2}).auto_paging_iter())
        assert len({event.id for event in every}) == len(every) == len(self.simulator.ledger.events)


class PayPageTests(SimulatorTestCase):
    def test_card_pays_and_leads_back(self):
        session = self.create()

        status, headers, _ = self.submit(session.url, card="4242 4242 4242 4242", email="ada@example.com")

        assert (status, headers["Location"]) == (303, session.success_url)
        assert self.sessions.retrieve(session.id).payment_status == "paid"

    def test_declined_card_shows_the_page_again(self):
        session = self.create()

        status, _, text = self.submit(session.url, card="4000 0000 0000 0002")

        assert status == 402
        assert "Your card was declined." in text
        assert self.sessions.retrieve(session.id).status == "open"

    def test_3d_secure_asks_first(self):
        session = self.create()

        status, headers, _ = self.submit(session.url, card="4000 0025 0000 3155")
        assert (status, headers["Location"]) == (303, f"/c/pay/{session.id}/3ds")
        secure = f"{self.simulator.url}{headers['Location']}"
        assert "3-D Secure" in self.submit(secure)[2]
        assert self.submit(secure, outcome="fail")[0] == 402
        assert self.submit(secure, outcome="complete")[0] == 303

        assert self.sessions.retrieve(session.id).payment_status == "paid"

    def test_bank_payment_completes_unpaid_and_settles_later(self):
        session = self.create()

        assert self.submit(session.url, method="bank")[0] == 303
        assert self.sessions.retrieve(session.id).payment_status == "unpaid"
        self.simulator.ledger.settle(session.id)

        assert self.sessions.retrieve(session.id).payment_status == "paid"

    def test_numbers_that_are_no_card_are_invalid(self):
        session = self.create()
        for number in ("", "1234", "4242424242424241", "x" * 5000, "４２４２"):
            status, _, text = self.submit(session.url, card=number, email="")
            assert (status, "is invalid" in text) == (402, True)

    def test_names_are_escaped_and_the_policy_is_strict(self):
        product = {"currency": "eur", "unit_amount": 100, "product_data": {"name": "<script>alert(1)</script>"}}
        session = self.create(line_items=[{"price_data": product}])

        _, headers, text = self.submit(session.url)

        assert "<script" not in text
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "form-action 'self' http://127.0.0.1:8000" in headers["Content-Security-Policy"]

    def test_page_of_a_finished_session_says_so(self):
        session = self.create()
        self.simulator.ledger.pay(session.id)

        assert "This payment is complete" in self.submit(session.url)[2]
        assert "This payment is complete" in self.submit(session.url, card="4242424242424242")[2]
        assert self.submit(f"{self.simulator.url}/c/pay/cs_test_none")[0] == 404


class ControlTests(SimulatorTestCase):
    def ask(self, name, body=None, content_type="application/json"):
        request = urllib.request.Request(
            f"{self.simulator.url}/_control/{name}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": content_type} if body is not None else {},
        )
        return json.load(urllib.request.urlopen(request))

    def test_faults_are_set_and_reset(self):
        assert self.ask("faults", {"duplicate": 3, "api": [{"mode": "429"}]})["duplicate"] == 3
        assert self.simulator.faults.api[0].mode == "429"
        assert self.ask("faults", {})["duplicate"] == 1

    def test_session_is_paid_and_refunded(self):
        session = self.create()

        paid = self.ask("pay", {"session": session.id})
        self.ask("refund", {"payment_intent": paid["payment_intent"], "amount": 5})

        assert self.ask("state")["refunds"][-1]["amount"] == 5

    def test_form_from_another_site_is_refused(self):
        with pytest.raises(urllib.error.HTTPError) as caught:
            self.ask("faults", {}, content_type="text/plain")
        assert caught.value.code == 415

    def test_unknown_acts_and_knobs_are_refused(self):
        for name, body in (("nothing", {}), ("faults", {"colour": 1}), ("pay", {}), ("pay", {"session": "x"})):
            with pytest.raises(urllib.error.HTTPError) as caught:
                self.ask(name, body)
            assert caught.value.code in (400, 404)


class RestartTests(SimpleTestCase):
    def test_books_survive_a_restart_and_bank_payments_still_arrive(self):
        with tempfile.TemporaryDirectory() as folder:
            books = Path(folder) / "books.json"
            with self.simulator(books) as (simulator, sessions):
                card, bank = (sessions.create(SimulatorTestCase("params").params()).id for _ in range(2))
                simulator.ledger.pay(bank, method="sepa_debit")
            with self.simulator(books, settle_after=0.01) as (simulator, sessions):
                assert sessions.retrieve(card).status == "open"
                wait_until(lambda: sessions.retrieve(bank).payment_status == "paid")

    @contextmanager
    def simulator(self, path, **options):
        with Simulator(api_key=API_KEY, webhook_secret=SECRET, path=path, **options) as simulator:
            yield simulator, stripe.StripeClient(API_KEY, base_addresses={"api": simulator.url}).v1.checkout.sessions
