"""Test cases with a simulator of their own, spoken to over HTTP by the official SDK."""

import json
from typing import Any
from unittest import mock

from django.test import TestCase, TransactionTestCase, override_settings
from django.urls import reverse

from mail.models import OutgoingMail
from orders.models import Invoice, Order
from orders.tests.factories import make_order
from payment import attempts, gateway, views
from payment.models import Payment
from payment.simulator import Simulator
from payment.simulator.ledger import TABLES

API_KEY = "sk_test_of_the_tests"
SECRET = "whsec_of_the_tests"


class StandIn:
    """What both kinds of test case share. `simulator` is new for each class and emptied for each test."""

    simulator: Simulator

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        # A busy machine must not look like a Stripe that does not answer.
        cls.enterClassContext(mock.patch.multiple(gateway, TIMEOUT=1000, CONNECT_TIMEOUT=1000))
        cls.enterClassContext(mock.patch.object(views, "PATIENCE", 1000))
        cls.simulator = cls.enterClassContext(Simulator(api_key=API_KEY, webhook_secret=SECRET, backoff=()))
        cls.enterClassContext(
            override_settings(
                STRIPE_SECRET_KEY=API_KEY, STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_BASE=cls.simulator.url
            )
        )

    def setUp(self) -> None:
        super().setUp()
        simulator = self.simulator
        simulator.faults.reset()
        simulator.courier.url = ""
        for table in TABLES:
            getattr(simulator.ledger, table).clear()
        simulator.ledger.events.clear()
        simulator.ledger.skipped_seconds = 0
        simulator.api.calls.clear()
        simulator.courier.outcomes.clear()
        self.told: set[str] = set()

    def post_event(self, event: dict[str, Any], **headers: str) -> int:
        """Deliver one event as Stripe does and return the answer's status."""
        body = json.dumps(event).encode()
        headers = {"Stripe-Signature": self.simulator.courier.signature(body)} | headers
        with self.captureOnCommitCallbacks(execute=True):
            answer = self.client.post(
                reverse("payment:webhook"), body, content_type="application/json", headers=headers
            )
        return answer.status_code

    def new_events(self) -> list[dict[str, Any]]:
        """Return the events not asked for before, in the order they happened."""
        events = [event for event in reversed(self.simulator.ledger.events) if event["id"] not in self.told]
        self.told |= {event["id"] for event in events}
        return events

    def tell_all(self) -> None:
        """Deliver what has happened at Stripe since the last time."""
        for event in self.new_events():
            assert self.post_event(event) == 200

    def open_session(self, order: Order) -> str:
        """Press Pay, and return the session's id."""
        return attempts.start(order.token).rpartition("/")[2]

    def paid_order(self, **fields: Any) -> Order:
        order = make_order(**fields)
        self.simulator.ledger.pay(self.open_session(order))
        self.tell_all()
        order.refresh_from_db()
        return order

    def calls(self, start: str) -> int:
        return sum(call.startswith(start) for call in self.simulator.api.calls)


class StripeTestCase(StandIn, TestCase):
    pass


class StripeRaceTestCase(StandIn, TransactionTestCase):
    """Real transactions, for threads."""

    def captureOnCommitCallbacks(self, **_: Any) -> Any:
        from contextlib import nullcontext

        return nullcontext()


def assert_paid_once(order: Order) -> None:
    order.refresh_from_db()
    assert order.status == Order.Status.PAID
    assert Payment.objects.filter(order=order, is_accepted=True).count() == 1
    assert Invoice.objects.filter(order=order).count() == 1
    assert OutgoingMail.objects.filter(dedup_key=f"invoice-mail:{order.pk}").count() == 1
