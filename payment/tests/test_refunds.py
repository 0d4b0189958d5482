from datetime import timedelta
from itertools import permutations
from unittest import mock

import pytest
from django.urls import reverse
from django.utils import timezone

from account.models import User
from account.tests.factories import make_user
from core.tests.clock import stopped
from mail.models import OutgoingMail
from orders.models import Invoice, Order
from orders.tests.factories import make_item
from payment import audit, gateway, refunds, sweeper
from payment.management.commands.stripe_simulator import adopt_payments
from payment.models import Payment, Problem, Refund
from payment.tests.stand_in import StripeTestCase

S = Order.Status


class RefundTestCase(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.product = make_item("30.00", stock=5)
        self.order = self.paid_order(lines=[(self.product, 1)])
        self.payment = self.order.payments.get()

    def ask(self, amount, key, **options):
        with self.captureOnCommitCallbacks(execute=True):
            refund = refunds.request(self.payment, amount=amount, key=key, reason="Torn page", **options)
        self.order.refresh_from_db()
        refund.refresh_from_db()
        return refund

    def at_stripe(self):
        return sorted(refund["amount"] for refund in self.simulator.ledger.refunds.values())

    def credit_notes(self):
        return sorted(self.order.invoices.filter(kind=Invoice.Kind.CREDIT_NOTE).values_list("total", flat=True))


class RequestTests(RefundTestCase):
    def test_parts_are_summed_and_the_last_makes_it_whole(self):
        self.ask(1000, "a")
        assert self.order.status == S.PARTIALLY_REFUNDED
        self.ask(500, "b")
        assert self.order.status == S.PARTIALLY_REFUNDED
        self.ask(1500, "c")

        assert self.order.status == S.REFUNDED
        assert self.at_stripe() == [500, 1000, 1500]
        assert self.credit_notes() == [5, 10, 15]
        assert OutgoingMail.objects.filter(kind="refund").count() == 3

    def test_more_than_is_left_is_refused(self):
        self.ask(2999, "a")

        for amount in (2, 0, -1, 10**12):
            with pytest.raises(refunds.TooMuch, match="only 1 left"):
                self.ask(amount, f"b{amount}")
        assert self.ask(1, "last").status == Refund.Status.SUCCEEDED
        assert (self.payment.refundable(), self.order.status) == (0, S.REFUNDED)

    def test_all_at_once_may_go_back(self):
        assert self.ask(3000, "a").amount == 3000

    def test_a_payment_of_nothing_has_nothing_to_give_back(self):
        Payment.objects.update(payment_intent="free-1")
        self.payment.refresh_from_db()

        assert self.payment.refundable() == 0

    def test_more_than_came_in_leaves_nothing_and_not_less(self):
        self.ask(2999, "a")
        Refund.objects.create(payment=self.payment, idempotency_key="b", amount=2, status="succeeded")

        assert self.payment.refundable() == 0

    def test_a_reason_is_as_long_as_its_column(self):
        with self.captureOnCommitCallbacks(execute=True):
            refund = refunds.request(self.payment, amount=1, key="a", reason="x" * 301)

        assert refund.reason == "x" * 300

    def test_same_key_is_the_same_refund(self):
        assert self.ask(1000, "a") == self.ask(1000, "a")

        assert self.at_stripe() == [1000]

    def test_goods_stay_away_unless_staff_say_so(self):
        self.ask(3000, "a")
        self.product.refresh_from_db()
        assert self.product.stock == 5

    def test_goods_go_back_when_staff_say_so(self):
        self.ask(3000, "a", restocks=True)
        self.product.refresh_from_db()
        assert self.product.stock == 6

    def test_stripe_away_is_tried_again_by_the_sweeper(self):
        with mock.patch.object(gateway, "create_refund", side_effect=gateway.Unavailable("away")):
            refund = self.ask(1000, "a")
        assert (refund.status, self.order.status) == (Refund.Status.REQUESTED, S.PAID)
        Refund.objects.update(due_at=timezone.now())

        sweeper.sweep()

        refund.refresh_from_db()
        assert refund.status == Refund.Status.SUCCEEDED
        assert self.at_stripe() == [1000]

    def test_refund_that_stripe_made_before_it_broke_is_not_made_twice(self):
        real = gateway.create_refund

        def breaks(*args, **kwargs):
            real(*args, **kwargs)
            raise gateway.Broken("500")

        with mock.patch.object(gateway, "create_refund", breaks):
            self.ask(1000, "a")
        refunds.send(Refund.objects.get().pk)

        assert self.at_stripe() == [1000]
        assert Refund.objects.get().status == Refund.Status.SUCCEEDED

    def test_refund_that_stripe_broke_on_takes_another_key(self):
        breaks = [{"mode": "500", "path": "/v1/refunds", "method": "POST"}]
        self.simulator.faults.set(api=breaks)
        self.ask(1000, "a")
        self.simulator.faults.set(api=breaks)
        refunds.send(Refund.objects.get().pk)
        assert self.at_stripe() == []

        refunds.send(Refund.objects.get().pk)

        assert self.at_stripe() == [1000]

    def test_refund_that_was_tried_waits_before_it_is_tried_again(self):
        now, held = timezone.now() + timedelta(hours=1), []

        def away(*_args, **_kwargs):
            held.append(Refund.objects.get().due_at - now)
            raise gateway.Unavailable("away")

        with stopped(now), mock.patch.object(gateway, "create_refund", away):
            refund = self.ask(1000, "a")
            sweeper.sweep()

        assert held == [timedelta(seconds=40)]
        assert refund.due_at - now == timedelta(minutes=2)

    def test_first_try_asks_for_nothing_but_the_refund(self):
        self.ask(1000, "a")

        assert (self.calls("GET /v1/refunds"), self.calls("POST /v1/refunds")) == (0, 1)

    def test_refund_that_stays_unsent_is_told_once(self):
        with mock.patch.object(gateway, "create_refund", side_effect=gateway.Unavailable("away")):
            refund = self.ask(1000, "a")
            for tries in range(2, 8):
                refunds.send(refund.pk)
                assert Problem.objects.count() == (tries >= 5)

    def test_refused_refund_is_failed_flagged_and_leaves_the_rest_refundable(self):
        with mock.patch.object(gateway, "create_refund", side_effect=gateway.Refused("no")):
            refund = self.ask(3000, "a")

        assert (refund.status, self.order.status) == (Refund.Status.FAILED, S.PAID)
        assert Problem.objects.count() == 1
        assert self.payment.refundable() == 3000


class LearnTests(RefundTestCase):
    def test_refund_from_the_dashboard_is_learnt(self):  # D73, D86
        self.simulator.ledger.refund(self.payment.payment_intent, amount=700)
        self.tell_all()

        self.order.refresh_from_db()
        refund = Refund.objects.get()
        assert (self.order.status, refund.amount, refund.actor) == (S.PARTIALLY_REFUNDED, 700, None)
        assert self.credit_notes() == [7]

    def test_three_parts_with_replays_in_any_order_come_to_the_same(self):
        for amount in (500, 1000, 1500):
            self.simulator.ledger.refund(self.payment.payment_intent, amount=amount)
        events = self.new_events()

        for order in list(permutations(events))[::90]:
            for event in order:
                self.post_event({**event, "id": f"{event['id']}-again"})

        self.order.refresh_from_db()
        assert self.order.status == S.REFUNDED
        assert self.credit_notes() == [5, 10, 15]
        assert sum(Refund.objects.values_list("amount", flat=True)) == self.payment.amount
        assert OutgoingMail.objects.filter(kind="refund").count() == 3

    def test_our_own_refund_whose_answer_was_lost_is_known_by_what_stripe_keeps_with_it(self):
        with mock.patch.object(gateway, "create_refund", side_effect=gateway.Unavailable("away")):
            refund = self.ask(1000, "a")
        gateway.create_refund(self.payment.payment_intent, amount=1000, key="a", reference="a")

        self.tell_all()

        refund.refresh_from_db()
        assert (Refund.objects.get(), refund.status) == (refund, Refund.Status.SUCCEEDED)

    def test_refund_of_a_payment_that_is_not_ours_is_none_of_our_business(self):
        Refund.objects.all().delete()

        refunds.learn("pi_of_another_program")

        assert not Refund.objects.exists()

    def test_our_own_refund_comes_back_as_an_event_and_is_known(self):
        self.ask(1000, "a")
        self.tell_all()

        assert Refund.objects.count() == 1
        assert self.credit_notes() == [10]


class ReturnedTests(RefundTestCase):
    """The buyer's bank sends a refund back after its credit note was written."""

    def setUp(self):
        super().setUp()
        self.refund = self.ask(1000, "a")
        self.tell_all()
        self.simulator.ledger.fail_refund(self.refund.stripe_refund_id)
        self.events = self.new_events()
        for event in [*self.events, *self.events]:
            assert self.post_event(event) == 200
        self.refund.refresh_from_db()
        self.order.refresh_from_db()

    def settle(self, **fields):
        self.client.force_login(User.objects.filter(username="staff").first() or make_user("staff", staff=True))
        address = reverse("payment:refund_settle", args=[self.refund.pk])
        return self.client.post(address, fields, headers={"Sec-Fetch-Site": "same-origin"}, follow=True)

    def test_it_is_owed_and_everybody_hears_of_it_once(self):
        assert self.refund.status == Refund.Status.RETURNED
        assert self.order.status == S.PARTIALLY_REFUNDED
        assert Problem.objects.count() == OutgoingMail.objects.filter(kind="refund-returned").count() == 1
        page = self.client.get(self.order.get_absolute_url())
        self.assertContains(page, "Your bank sent the money back to us")
        self.assertNotContains(page, "has been sent back; banks take")

    def test_its_credit_note_stands_and_the_audit_names_the_debt_only(self):
        assert self.credit_notes() == [10]
        assert audit.everything() == [f"Order {self.order.pk}: 10.00 EUR came back and is still owed"]
        assert audit.against_stripe() == []
        assert audit.mails() == []

    def test_it_is_not_there_to_be_refunded_a_second_time(self):
        assert self.payment.refundable() == 2000

        self.ask(2000, "rest")

        assert self.order.status == S.REFUNDED
        assert self.credit_notes() == [10, 20]

    def test_staff_pay_it_otherwise_and_write_down_how_once(self):
        for _ in range(2):
            page = self.settle(how="Bank transfer, 2 Nov")

        self.assertContains(page, "paid in another way")
        self.assertNotContains(page, "It is paid")
        self.order.refresh_from_db()
        assert not self.order.is_refund_owed
        assert Problem.objects.get().resolved_at
        assert "Bank transfer, 2 Nov" in OutgoingMail.objects.get(kind="refund-settled").text
        assert audit.everything() == []

    def test_the_order_owes_until_each_of_two_is_paid(self):
        second = self.ask(500, "b")
        self.simulator.ledger.fail_refund(second.stripe_refund_id)
        self.tell_all()

        for refund, is_owed in ((second, True), (self.refund, False)):
            assert refunds.pay_otherwise(refund, how="cash", actor=None)
            self.order.refresh_from_db()
            assert self.order.is_refund_owed == is_owed
        notes = [event.note for event in self.order.events.all()][-2:]
        assert notes == ["€5.00 paid back in another way: cash", "€10.00 paid back in another way: cash"]

    def test_how_it_was_paid_is_as_long_as_its_column(self):
        self.settle(how="x" * 201)

        self.refund.refresh_from_db()
        assert self.refund.settled_how == "x" * 200

    def test_staff_who_may_not_refund_may_not_settle(self):
        clerk = make_user("clerk")
        clerk.is_staff = True
        clerk.save()
        self.client.force_login(clerk)
        address = reverse("payment:refund_settle", args=[self.refund.pk])

        assert self.client.post(address, {"how": "x"}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 403

    def test_without_a_word_how_it_stays_open(self):
        self.assertContains(self.settle(how=" "), "write down how")

        assert audit.everything() != []

    def test_what_never_came_back_cannot_be_settled(self):
        other = self.ask(100, "b")

        assert not refunds.pay_otherwise(other, how="cash", actor=None)

    def test_members_are_kept_out(self):
        self.client.force_login(make_user("bob"))
        address = reverse("payment:refund_settle", args=[self.refund.pk])
        answer = self.client.post(address, {"how": "x"}, headers={"Sec-Fetch-Site": "same-origin"})

        assert answer.status_code == 302
        assert audit.everything() != []


class UnknownPaymentTests(RefundTestCase):
    """A payment that the local Stripe has never seen, as those of the demo's orders are."""

    def setUp(self):
        super().setUp()
        Refund.objects.create(
            payment=self.payment, stripe_refund_id="re_demo", idempotency_key="demo", amount=500, status="succeeded"
        )
        for table in ("sessions", "intents", "charges"):
            getattr(self.simulator.ledger, table).clear()

    def test_it_is_entered_at_the_start_and_can_be_refunded(self):
        adopt_payments(self.simulator.ledger)
        adopt_payments(self.simulator.ledger)

        refund = self.ask(2500, "rest")
        self.tell_all()

        assert refund.status == Refund.Status.SUCCEEDED
        assert self.at_stripe() == [500, 2500]
        assert self.order.status == S.REFUNDED
        assert Refund.objects.count() == 2
        assert OutgoingMail.objects.filter(kind="refund").count() == 1

    def test_more_than_is_left_of_it_is_refused_there_too(self):
        adopt_payments(self.simulator.ledger)

        with pytest.raises(gateway.Refused):
            gateway.create_refund(self.payment.payment_intent, amount=2501, key="x", reference="x")
