"""What a bank decides and what staff note, at once; each guard has a twin without it."""

from contextlib import contextmanager
from unittest import mock

from django.db.models import Q, QuerySet

from core.tests.races import MOST, Meeting, all_at_once, look_then_write, many_writers, race
from mail.models import OutgoingMail
from orders.models import Order
from orders.tests.factories import make_item, make_order
from payment import audit, disputes, fulfil, refunds
from payment.models import Dispute, Payment, Refund
from payment.tests.stand_in import StripeRaceTestCase

S = Order.Status


class PaidOrderRaceTestCase(StripeRaceTestCase):
    def setUp(self):
        super().setUp()
        self.order = make_order(lines=[(make_item("30.00"), 1)])
        session_id = self.open_session(self.order)
        self.simulator.ledger.pay(session_id)
        fulfil.fulfil(session_id)
        self.payment = Payment.objects.get()


class DisputeRaceTests(PaidOrderRaceTestCase):
    def setUp(self):
        super().setUp()
        self.new_events()
        dispute = self.simulator.ledger.dispute(self.payment.payment_intent)
        self.simulator.ledger.close_dispute(dispute["id"], won=False)

    @contextmanager
    def booked(self):
        """Give a list with an entry for each time that the loss is booked."""
        times, lose = [], disputes._lose

        def count(*args):
            times.append(args)
            lose(*args)

        with mock.patch.object(disputes, "_lose", count):
            yield times

    def assert_lost_once(self):
        self.order.refresh_from_db()
        assert self.order.status == S.CHARGED_BACK
        assert self.order.events.filter(status=S.CHARGED_BACK).count() == 1
        assert Dispute.objects.get().status == "lost"
        assert OutgoingMail.objects.filter(kind="payment-problem", text__contains="the money is gone").count() == 1
        assert audit.everything() == []

    def test_every_event_of_a_dispute_many_times_at_once_books_it_once(self):
        events = [event for event in self.new_events() if event["type"].startswith("charge.dispute.")]
        assert len(events) == 3
        answers = []

        def deliver(number):
            answers.extend(self.post_event(events[(number + turn) % 3]) for turn in range(6))

        with self.booked() as times:
            assert race(deliver, MOST) == []

        assert answers == [200] * 6 * MOST
        assert len(times) == 1
        self.assert_lost_once()

    def learn_at_once(self):
        with self.booked() as times:
            assert race(lambda _: disputes.learn(self.payment.payment_intent), MOST) == []
        return len(times)

    def test_who_asks_stripe_at_once_hears_of_the_loss_and_one_books_it(self):
        assert self.learn_at_once() == 1

        self.assert_lost_once()

    def test_without_the_guard_of_the_update_everybody_books_it(self):
        with mock.patch.object(disputes, "Q", lambda *conditions, **fields: Q()):
            assert self.learn_at_once() == MOST


class SettlingRaceTests(PaidOrderRaceTestCase):
    """A refund came back from the buyer's bank, and several of the staff note at once how they have paid it."""

    STAFF = 5

    def setUp(self):
        super().setUp()
        self.refund = refunds.request(self.payment, amount=1000, key="a", reason="Torn page")
        self.refund.refresh_from_db()
        self.tell_all()
        self.simulator.ledger.fail_refund(self.refund.stripe_refund_id)
        self.tell_all()
        assert Refund.objects.get().status == Refund.Status.RETURNED

    def settle_at_once(self):
        def settle(how):
            return refunds.pay_otherwise(Refund.objects.get(), how=how, actor=None)

        return sorted(all_at_once(settle, [f"Transfer {number}" for number in range(self.STAFF)]))

    def notes(self):
        return self.order.events.filter(note__contains="paid back in another way").count()

    def test_one_of_them_has_paid_it(self):
        assert self.settle_at_once() == [False] * (self.STAFF - 1) + [True]

        assert self.notes() == OutgoingMail.objects.filter(kind="refund-settled").count() == 1
        assert audit.everything() == []

    def test_without_the_guards_it_is_noted_as_paid_by_all(self):
        with (
            mock.patch.object(refunds, "_lock", lambda payment: payment.order),
            mock.patch.object(refunds.mails, "refund"),  # a mail is not written outside a transaction
            mock.patch.object(QuerySet, "update", look_then_write(Meeting(self.STAFF), Refund)),
            many_writers("payment.refunds"),
        ):
            assert self.settle_at_once() == [True] * self.STAFF

        assert self.notes() == self.STAFF
