from itertools import permutations
from unittest import mock

from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from mail.models import OutgoingMail
from orders.models import Invoice, Order
from orders.tests.factories import make_item, make_order
from payment import audit, disputes, gateway, refunds, sweeper
from payment.models import Dispute, Payment, Problem, Refund, WebhookEvent
from payment.tests.stand_in import StripeTestCase, assert_paid_once

S = Order.Status


class DisputeTestCase(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.product = make_item("30.00", stock=5)
        self.order = self.paid_order(lines=[(self.product, 1)])
        self.payment = self.order.payments.get()

    def dispute(self, **options):
        dispute = self.simulator.ledger.dispute(self.payment.payment_intent, **options)
        self.tell_all()
        return dispute["id"]

    def close(self, dispute_id, *, won):
        self.simulator.ledger.close_dispute(dispute_id, won=won)
        self.tell_all()
        self.order.refresh_from_db()
        self.payment.refresh_from_db()

    def open_problems(self):
        return list(Problem.objects.filter(resolved_at=None).order_by("pk").values_list("text", flat=True))

    def ask(self, amount, key="a", **options):
        with self.captureOnCommitCallbacks(execute=True):
            refund = refunds.request(self.payment, amount=amount, key=key, reason="Torn page", **options)
        refund.refresh_from_db()
        self.order.refresh_from_db()
        return refund


class OutcomeTests(DisputeTestCase):
    def test_open_dispute_leaves_the_order_and_tells_staff_what_to_do(self):
        self.dispute()

        assert_paid_once(self.order)
        assert "Answer in Stripe's dashboard" in self.open_problems()[0]
        assert OutgoingMail.objects.filter(kind="payment-problem").count() == 1
        assert audit.everything() == []

    def test_lost_dispute_books_that_the_money_is_gone(self):
        dispute_id = self.dispute()

        self.close(dispute_id, won=False)

        assert (self.order.status, self.order.is_paid_for) == (S.CHARGED_BACK, False)
        assert (self.payment.dispute_status, self.payment.lost(), self.payment.refundable()) == ("lost", 3000, 0)
        assert self.order not in Order.objects.with_paid()
        assert [("the money is gone" in text) for text in self.open_problems()] == [True]
        assert OutgoingMail.objects.filter(kind="payment-problem").count() == 2
        assert audit.everything() == []
        assert audit.against_stripe() == []

    def test_lost_dispute_leaves_goods_and_papers_to_people(self):
        self.close(self.dispute(), won=False)

        self.product.refresh_from_db()
        assert (self.product.stock, self.order.holds_stock) == (5, True)
        assert self.order.invoices.get().kind == Invoice.Kind.INVOICE

    def test_buyer_of_a_charged_back_order_reads_so_and_gets_no_files(self):
        self.close(self.dispute(), won=False)

        page = self.client.get(self.order.get_absolute_url())

        self.assertContains(page, "Your bank has taken the money back")

    def test_won_dispute_leaves_the_order_paid_and_nothing_open(self):
        self.close(self.dispute(), won=True)

        assert_paid_once(self.order)
        assert (self.payment.dispute_status, self.payment.refundable()) == ("won", 3000)
        assert self.open_problems() == []
        assert "stays with the shop" in self.order.events.last().note
        assert OutgoingMail.objects.filter(kind="payment-problem").count() == 2
        assert audit.everything() == []
        assert self.ask(3000).status == Refund.Status.SUCCEEDED

    def test_inquiry_that_ends_without_a_word_leaves_nothing_open(self):
        self.close(self.dispute(status="warning_needs_response"), won=True)

        assert_paid_once(self.order)
        assert (self.payment.dispute_status, self.open_problems()) == ("warning_closed", [])

    def test_part_that_is_lost_leaves_the_order_paid_and_the_rest_refundable(self):
        self.close(self.dispute(amount=1000), won=False)

        assert (self.order.status, self.payment.refundable()) == (S.PAID, 2000)
        assert audit.everything() == []

    def test_rest_that_is_lost_after_a_refund_makes_it_whole(self):
        self.ask(1000)
        self.close(self.dispute(), won=False)

        assert (self.order.status, self.payment.lost()) == (S.CHARGED_BACK, 2000)
        assert audit.everything() == []

    def test_events_in_any_order_end_the_same(self):
        dispute_id = self.simulator.ledger.dispute(self.payment.payment_intent)["id"]
        self.simulator.ledger.review_dispute(dispute_id)
        self.simulator.ledger.close_dispute(dispute_id, won=False)
        events = self.new_events()

        for order in permutations(events):
            for event in order:
                assert self.post_event({**event, "id": f"{event['id']}-again"}) == 200

        self.order.refresh_from_db()
        assert self.order.status == S.CHARGED_BACK
        assert Dispute.objects.get().status == "lost"
        assert self.order.events.filter(status=S.CHARGED_BACK).count() == 1

    def test_answer_that_comes_late_does_not_open_what_is_closed(self):
        dispute_id = self.dispute()
        early = gateway.get_dispute(dispute_id)
        self.close(dispute_id, won=False)

        disputes.note(early)

        assert (Dispute.objects.get().status, Payment.objects.get().dispute_status) == ("lost", "lost")

    def test_audit_finds_an_order_and_its_disputes_that_disagree(self):
        self.close(self.dispute(), won=False)
        Order.objects.update(status=S.PAID)
        assert any("charged back" in line for line in audit.everything())

        Order.objects.update(status=S.CHARGED_BACK)
        Dispute.objects.update(status="won")
        assert any("charged back" in line for line in audit.everything())

    def test_second_payment_lost_in_a_dispute_need_not_go_back_any_more(self):
        Payment.objects.update(is_accepted=False)
        Order.objects.update(status=S.REFUND_DUE)
        Invoice.objects.all().delete()

        self.close(self.dispute(), won=False)

        assert self.order.status == S.REFUNDED
        assert not [line for line in audit.everything() if "has not gone back" in line]


class EarlyTests(StripeTestCase):
    """The news of the dispute is quicker than that of its payment."""

    def setUp(self):
        super().setUp()
        self.order = make_order()
        self.session_id = self.open_session(self.order)
        intent = self.simulator.ledger.pay(self.session_id)["payment_intent"]
        self.paid = self.new_events()
        self.dispute_id = self.simulator.ledger.dispute(intent)["id"]
        self.simulator.ledger.close_dispute(self.dispute_id, won=False)
        self.disputed = self.new_events()

    def assert_charged_back(self):
        self.order.refresh_from_db()
        payment = self.order.payments.get()
        assert (self.order.status, payment.dispute_id, payment.lost()) == (S.CHARGED_BACK, self.dispute_id, 1250)
        assert WebhookEvent.objects.exclude(status__in=["done", "ignored"]).count() == 0

    def post_all(self, events):
        for event in events:
            assert self.post_event(event) == 200

    def test_payment_is_asked_for(self):
        self.post_all(self.disputed)

        self.assert_charged_back()

    def test_dispute_is_kept_while_stripe_does_not_name_the_payment_and_applied_when_it_does(self):
        with mock.patch.object(gateway, "session_of_payment", return_value=None):
            self.post_all(self.disputed)
        assert Dispute.objects.get().payment is None
        assert not Problem.objects.exists()

        self.post_all(self.paid)

        self.assert_charged_back()

    def test_dispute_that_missed_its_payment_is_found_by_the_sweep(self):
        with mock.patch.object(gateway, "session_of_payment", return_value=None):
            self.post_all(self.disputed)
        with mock.patch.object(disputes, "meet"):
            self.post_all(self.paid)
        assert Dispute.objects.get().payment is None

        sweeper.sweep()

        self.assert_charged_back()

    def test_dispute_that_a_sweep_finds_while_it_is_being_noted_is_told_once_and_in_words(self):
        order = self.paid_order()
        payment = order.payments.get()
        self.simulator.ledger.dispute(payment.payment_intent)
        apply = disputes._apply

        def sweep_first(*given):
            with mock.patch.object(disputes, "_apply", apply):
                disputes.meet(payment.payment_intent)
            apply(*given)

        with mock.patch.object(disputes, "_apply", sweep_first):
            disputes.learn(payment.payment_intent)

        assert "needs an answer" in Problem.objects.get().text.lower()

    def test_dispute_of_another_program_on_the_account_is_nobodys_problem(self):
        session = gateway.create_session(self.order.attempts.get().params | {"metadata": {}}, key="other").id
        intent = self.simulator.ledger.pay(session)["payment_intent"]
        self.simulator.ledger.dispute(intent)
        self.tell_all()

        assert Dispute.objects.get(payment_intent=intent).payment is None
        assert not Problem.objects.exists()
        sweeper.sweep()
        assert not Problem.objects.exists()


class RefundPageTests(DisputeTestCase):
    def setUp(self):
        super().setUp()
        self.url = reverse("payment:refund", args=[self.order.pk])
        self.client.force_login(make_user("staff", staff=True))

    def post(self):
        fields = {"payment": self.payment.pk, "amount": "5.00", "reason": "x", "confirmed": "yes", "key": "k"}
        return self.client.post(self.url, fields, headers={"Sec-Fetch-Site": "same-origin"})

    def test_dispute_is_shown_and_a_refund_refused_in_words(self):
        self.dispute()

        page = self.client.get(self.url)
        answer = self.post()

        self.assertContains(page, "needs an answer")
        self.assertContains(page, "cannot be refunded")
        self.assertNotContains(page, 'name="amount"')
        self.assertContains(answer, "cannot be refunded", status_code=409)
        assert not Refund.objects.exists()

    def test_won_dispute_is_shown_and_does_not_stand_in_the_way(self):
        self.close(self.dispute(), won=True)

        page = self.client.get(self.url)

        self.assertContains(page, "won")
        self.assertContains(page, 'name="amount"')

    def test_why_a_refund_failed_is_shown(self):
        with mock.patch.object(gateway, "create_refund", side_effect=gateway.Refused("Odd card")):
            self.ask(1000)

        self.assertContains(self.client.get(self.url), "Odd card")


class RefusedRefundTests(DisputeTestCase):
    """Stripe refuses, because its books have moved on: the dashboard, another key, the buyer's bank."""

    def refund_in_the_dashboard(self, amount=None):
        self.simulator.ledger.refund(self.payment.payment_intent, amount=amount)
        self.new_events()  # the webhook is late

    def test_refund_that_the_dashboard_made_is_booked_and_nobody_is_told_to_pay_again(self):
        self.refund_in_the_dashboard()

        refund = self.ask(3000, restocks=True)

        assert (refund.status, self.order.status) == (Refund.Status.FAILED, S.REFUNDED)
        assert Refund.objects.filter(status=Refund.Status.SUCCEEDED).get().amount == 3000
        text = Problem.objects.get().text
        assert "in another way" not in text
        assert "€30.00" in text and "Nothing is left to refund" in text
        self.product.refresh_from_db()
        assert self.product.stock == 6
        assert audit.everything() == audit.against_stripe() == []

    def test_part_that_the_dashboard_made_is_booked_and_the_rest_named(self):
        self.refund_in_the_dashboard(1000)

        self.ask(3000, restocks=True)

        self.product.refresh_from_db()
        assert self.product.stock == 5
        assert self.order.status == S.PARTIALLY_REFUNDED
        assert "€20.00 are left to refund" in Problem.objects.get().text
        assert self.payment.refundable() == 2000
        assert self.ask(2000, "b").status == Refund.Status.SUCCEEDED

    def test_refused_because_of_a_dispute_we_have_not_heard_of(self):
        self.simulator.ledger.dispute(self.payment.payment_intent)
        self.new_events()

        refund = self.ask(3000)

        assert refund.status == Refund.Status.FAILED
        texts = self.open_problems()
        assert any("would pay twice" in text for text in texts)
        assert not any("Please pay it back in another way" in text for text in texts)
        assert Dispute.objects.get().status == "needs_response"

    def test_refused_for_another_reason_still_asks_for_another_way(self):
        with mock.patch.object(gateway, "create_refund", side_effect=gateway.Refused("Odd card")):
            self.ask(3000)

        assert "Odd card Please pay it back in another way" in Problem.objects.get().text

    def test_stripe_away_while_asking_how_things_stand_is_tried_again(self):
        self.refund_in_the_dashboard()
        with mock.patch.object(gateway, "refunds_of", side_effect=gateway.Unavailable("away")):
            refund = self.ask(3000)
        assert refund.status == Refund.Status.REQUESTED
        assert not Problem.objects.exists()
        Refund.objects.update(due_at=timezone.now())

        sweeper.sweep()

        refund.refresh_from_db()
        assert refund.status == Refund.Status.FAILED
        assert Refund.objects.filter(status=Refund.Status.SUCCEEDED).count() == 1

    def test_refund_made_long_ago_whose_key_stripe_forgot_is_not_made_twice(self):
        with mock.patch.object(gateway, "_refund", side_effect=gateway.Unavailable("the answer is lost")):
            refund = self.ask(1000)
        self.simulator.ledger.replies.clear()
        Refund.objects.update(due_at=timezone.now())

        sweeper.sweep()

        refund.refresh_from_db()
        assert refund.status == Refund.Status.SUCCEEDED
        assert [made["amount"] for made in self.simulator.ledger.refunds.values()] == [1000]

    def test_own_payment_that_was_given_back_in_the_dashboard_ends_the_order(self):
        Payment.objects.update(is_accepted=False)
        Order.objects.update(status=S.REFUND_DUE)
        Invoice.objects.all().delete()
        self.refund_in_the_dashboard()

        with self.captureOnCommitCallbacks(execute=True):
            refunds.give_back(self.payment, reason="Too late")

        self.order.refresh_from_db()
        assert self.order.status == S.REFUNDED
        assert len(self.simulator.ledger.refunds) == 1


class PendingTests(DisputeTestCase):
    def test_pending_refund_is_booked_and_owed_again_when_it_comes_back(self):
        charge = self.simulator.ledger.charge_of(self.payment.payment_intent)
        self.simulator.ledger.refund_ways[charge["id"]] = "pending"
        refund = self.ask(1000)
        assert (refund.status, self.order.status) == (Refund.Status.SUCCEEDED, S.PARTIALLY_REFUNDED)

        self.simulator.ledger.settle_refund(refund.stripe_refund_id)
        self.tell_all()
        assert audit.everything() == audit.against_stripe() == []

        self.simulator.ledger.fail_refund(refund.stripe_refund_id)
        self.tell_all()
        refund.refresh_from_db()
        assert refund.status == Refund.Status.RETURNED
