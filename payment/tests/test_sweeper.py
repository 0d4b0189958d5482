from datetime import timedelta
from unittest import mock

import pytest
from django.db import DataError
from django.utils import timezone

from orders import invoice
from orders.models import Invoice, Order
from orders.tests.factories import make_item, make_order
from payment import attempts, audit, fulfil, gateway, sweeper, webhooks
from payment.models import CheckoutAttempt, Problem, WebhookEvent
from payment.tests.stand_in import StripeTestCase, assert_paid_once

S = Order.Status


class SweeperTestCase(StripeTestCase):
    def sweep(self):
        with self.captureOnCommitCallbacks(execute=True):
            sweeper.sweep()

    def press_pay_while_stripe_is_away(self, order):
        away = mock.patch.object(gateway, "create_session", side_effect=gateway.Unavailable("away"))
        with away, pytest.raises(gateway.Unavailable):
            attempts.start(order.token)

    def grow_old(self, **ago):
        """Move everything we wrote down into the past, and Stripe's clock ahead by as much."""
        age = timedelta(**ago)
        for attempt in CheckoutAttempt.objects.all():
            CheckoutAttempt.objects.filter(pk=attempt.pk).update(
                created_at=attempt.created_at - age, expires_at=attempt.expires_at - age
            )
        for order in Order.objects.all():
            Order.objects.filter(pk=order.pk).update(expires_at=order.expires_at - age)
        self.simulator.ledger.advance(int(age.total_seconds()))


class LostWebhookTests(SweeperTestCase):
    def test_all_webhooks_lost_a_hundred_orders_paid_in_one_sweep(self):
        orders = [make_order() for _ in range(100)]
        for order in orders:
            self.simulator.ledger.pay(self.open_session(order))
        self.grow_old(minutes=1)

        self.sweep()

        for order in orders:
            assert_paid_once(order)
        assert not WebhookEvent.objects.exists()

    def test_second_sweep_asks_no_more(self):
        order = make_order()
        self.simulator.ledger.pay(self.open_session(order))
        self.grow_old(minutes=1)
        self.sweep()
        calls = len(self.simulator.api.calls)

        self.sweep()

        assert len(self.simulator.api.calls) == calls
        assert_paid_once(order)

    def test_missed_events_are_fetched(self):
        order = self.paid_order()
        self.simulator.ledger.refund(order.payments.get().payment_intent, amount=100)

        with self.captureOnCommitCallbacks(execute=True):
            assert sweeper.catch_up() == 2
        assert sweeper.catch_up() == 0

        order.refresh_from_db()
        assert order.status == S.PARTIALLY_REFUNDED

    def test_bank_payment_is_asked_about_while_it_takes_days(self):
        order = make_order()
        session_id = self.open_session(order)
        self.simulator.ledger.pay(session_id, method="sepa_debit")
        self.tell_all()
        self.simulator.ledger.settle(session_id)

        self.sweep()

        assert_paid_once(order)

    def test_without_a_key_nothing_is_asked(self):
        make_order()
        with self.settings(STRIPE_SECRET_KEY=""):
            self.sweep()
            assert sweeper.catch_up() == 0

    def test_stripe_away_does_not_stop_what_needs_no_stripe(self):
        order = self.paid_order()
        Invoice.objects.filter(order=order).delete()
        make_order_old(self)
        with mock.patch.object(gateway, "get_session", side_effect=gateway.Unavailable("away")):
            self.sweep()

        assert order.invoices.count() == 1


def make_order_old(case):
    case.open_session(make_order())
    case.grow_old(hours=1)


class ExpiryTests(SweeperTestCase):
    def setUp(self):
        super().setUp()
        self.product = make_item(stock=3)
        self.order = make_order(lines=[(self.product, 1)])

    def assert_lapsed(self):
        self.order.refresh_from_db()
        self.product.refresh_from_db()
        assert (self.order.status, self.product.stock, self.order.holds_stock) == (S.EXPIRED, 4, False)

    def test_order_nobody_paid_gives_its_stock_back_once(self):
        self.open_session(self.order)
        self.grow_old(hours=1)

        self.sweep()
        self.sweep()

        self.assert_lapsed()
        assert self.order.attempts.get().status == CheckoutAttempt.Status.EXPIRED

    def test_order_that_never_went_to_stripe_lapses_too(self):
        self.grow_old(hours=1)

        self.sweep()

        self.assert_lapsed()
        assert not self.simulator.api.calls

    def test_session_is_ended_at_stripe_before_the_stock_goes_back(self):
        session_id = self.open_session(self.order)
        Order.objects.update(expires_at=timezone.now())

        self.sweep()

        self.assert_lapsed()
        assert self.simulator.ledger.sessions[session_id]["status"] == "expired"

    def test_pay_page_of_an_order_that_staff_ended_is_closed(self):
        session_id = self.open_session(self.order)
        self.order.move(S.CANCELLED)
        self.grow_old(minutes=1)

        self.sweep()

        assert self.simulator.ledger.sessions[session_id]["status"] == "expired"
        assert self.order.attempts.get().status == CheckoutAttempt.Status.EXPIRED

    def test_stripe_away_keeps_the_stock(self):
        self.open_session(self.order)
        Order.objects.update(expires_at=timezone.now())
        with mock.patch.object(gateway, "expire_session", side_effect=gateway.Unavailable("away")):
            self.sweep()

        self.order.refresh_from_db()
        assert (self.order.status, self.order.holds_stock) == (S.AWAITING_PAYMENT, True)

    def test_paid_in_the_last_second_is_paid(self):
        self.simulator.ledger.pay(self.open_session(self.order))
        Order.objects.update(expires_at=timezone.now())

        self.sweep()

        assert_paid_once(self.order)

    def test_paid_between_looking_and_expiring_is_paid(self):
        session_id = self.open_session(self.order)
        Order.objects.update(expires_at=timezone.now())
        real = gateway.expire_session

        def rival(session):
            self.simulator.ledger.pay(session_id)
            return real(session)

        with mock.patch.object(gateway, "expire_session", rival):
            self.sweep()

        assert_paid_once(self.order)

    def test_session_we_never_heard_of_is_found_by_its_key_and_ended(self):
        session_id = self.open_session(self.order)
        CheckoutAttempt.objects.update(session_id=None, url="")
        Order.objects.update(expires_at=timezone.now())

        self.sweep()

        self.assert_lapsed()
        assert self.simulator.ledger.sessions[session_id]["status"] == "expired"
        assert len(self.simulator.ledger.sessions) == 1

    def test_attempt_that_never_reached_stripe_lapses(self):
        self.press_pay_while_stripe_is_away(self.order)
        self.grow_old(hours=1)
        # The stored moment of expiry is past by now, so Stripe refuses the call: there never was a session.
        CheckoutAttempt.objects.update(params=self.order.attempts.get().params | {"expires_at": 1})

        self.sweep()

        self.assert_lapsed()
        assert not self.simulator.ledger.sessions

    def test_expired_event_lets_the_order_go(self):
        self.open_session(self.order)
        self.grow_old(minutes=40)
        self.simulator.ledger.expire_due()

        self.tell_all()

        self.assert_lapsed()

    def test_session_ended_early_keeps_the_order(self):
        self.simulator.ledger.expire(self.open_session(self.order))

        self.tell_all()

        self.order.refresh_from_db()
        assert self.order.status == S.AWAITING_PAYMENT
        assert self.open_session(self.order)
        assert self.order.attempts.count() == 2


def end_soon(order):
    order.attempts.filter(status="open").update(expires_at=timezone.now() + timedelta(minutes=1))


class AttemptTests(SweeperTestCase):
    def test_pay_page_about_to_end_is_replaced_and_the_old_one_ended(self):
        order = make_order()
        first = self.open_session(order)
        end_soon(order)

        second = self.open_session(order)

        assert first != second
        assert self.simulator.ledger.sessions[first]["status"] == "expired"
        order.refresh_from_db()
        assert order.expires_at > order.attempts.first().expires_at

    def test_order_that_stripe_would_not_charge_says_why_and_asks_nobody(self):
        order = make_order(lines=[(make_item("0.40"), 1)])

        page = self.client.post("/payment/process/", {"order": order.token}, headers={"Sec-Fetch-Site": "same-origin"})

        self.assertContains(page, "The least that can be paid is €0.50", status_code=409)
        assert not self.simulator.api.calls
        assert not Problem.objects.exists()

    def test_only_one_attempt_is_ever_open(self):
        order = make_order()
        for _ in range(3):
            self.open_session(order)
            end_soon(order)

        assert order.attempts.filter(status="open").count() == 1
        assert sum(session["status"] == "open" for session in self.simulator.ledger.sessions.values()) == 1

    def test_attempt_that_waited_out_a_breakdown_takes_a_new_one(self):
        order = make_order()
        self.press_pay_while_stripe_is_away(order)
        late = int(timezone.now().timestamp()) + 1200
        CheckoutAttempt.objects.update(params=order.attempts.get().params | {"expires_at": late})

        assert self.open_session(order)

        assert list(order.attempts.order_by("n").values_list("status", flat=True)) == ["failed", "open"]

    def test_coupon_is_made_once_per_order(self):  # D85
        order = make_order(lines=[(make_item("20.00"), 1)], discount="5.00")
        for _ in range(2):
            self.open_session(order)
            end_soon(order)
        self.open_session(order)

        assert [coupon["amount_off"] for coupon in self.simulator.ledger.coupons.values()] == [500]

    def test_order_of_more_lines_than_stripe_takes_is_paid_as_one(self):
        order = make_order(lines=[(make_item("2.00"), 1) for _ in range(101)])

        session_id = self.open_session(order)

        assert [item["amount_total"] for item in self.simulator.ledger.items[session_id]] == [20200]

    def test_shillings_and_dinars_are_charged_as_they_are_shown(self):
        for currency, price, units in (("UGX", "5000", 500_000), ("ISK", "700", 70_000), ("BHD", "1.250", 1250)):
            with self.settings(SHOP_CURRENCY=currency):
                order = self.paid_order(lines=[(make_item(price), 1)], currency=currency)
                payment = order.payments.get()
                assert (order.status, payment.amount, payment.total) == (S.PAID, units, order.total)

    def test_session_that_stripe_does_not_know_is_given_up(self):
        order = make_order()
        self.open_session(order)
        self.simulator.ledger.sessions.clear()
        self.simulator.ledger.replies.clear()

        assert self.open_session(order)

        assert list(order.attempts.order_by("n").values_list("status", flat=True)) == ["failed", "open"]


class ReconcileTests(SweeperTestCase):
    def reconcile(self):
        CheckoutAttempt.objects.update(created_at=timezone.now() - timedelta(days=2))
        sweeper.reconcile()

    def test_books_that_agree_raise_nothing_and_are_compared_once(self):
        order = self.paid_order()
        self.simulator.ledger.refund(order.payments.get().payment_intent, amount=100)
        self.tell_all()
        self.reconcile()
        calls = len(self.simulator.api.calls)

        self.reconcile()

        assert not Problem.objects.exists()
        assert len(self.simulator.api.calls) == calls

    def test_everything_due_is_compared_in_one_run_and_one_bad_row_stops_nothing(self):
        orders = [make_order() for _ in range(7)]
        for order in orders:
            self.open_session(order)
        bad = orders[1].attempts.get()  # the last of its batch, from where the next one goes on
        real, asked = audit.differences, []

        def breaks(attempt):
            asked.append(attempt.pk)
            if attempt == bad:
                raise RuntimeError("odd")
            return real(attempt)

        with mock.patch.object(sweeper, "BATCH", 2), mock.patch.object(audit, "differences", breaks):
            self.reconcile()

        assert list(CheckoutAttempt.objects.filter(reconciled_at=None)) == [bad]
        assert asked == sorted(set(asked))  # each once

    def test_what_was_broken_off_goes_on_where_it_was(self):
        for _ in range(4):
            self.open_session(make_order())
        real, asked = audit.differences, []

        def dies(attempt):
            asked.append(attempt.pk)
            if len(asked) == 3:
                raise SystemExit
            return real(attempt)

        with mock.patch.object(audit, "differences", dies):
            with pytest.raises(SystemExit):
                self.reconcile()
            self.reconcile()

        assert len(asked) == 5
        assert not CheckoutAttempt.objects.filter(reconciled_at=None).exists()

    def test_stripe_away_is_not_asked_about_every_row(self):
        for _ in range(9):
            self.open_session(make_order())

        with mock.patch.object(gateway, "get_session", side_effect=gateway.Unavailable("away")) as asked:
            self.reconcile()

        assert asked.call_count == 3
        assert CheckoutAttempt.objects.filter(reconciled_at=None).count() == 9

    def test_two_odd_rows_now_and_then_are_no_stripe_that_is_away(self):
        for _ in range(8):
            self.open_session(make_order())
        away, fine = gateway.Unavailable("away"), audit.differences
        answers = iter([away, away, None, away, away, None, away, away])

        def differences(attempt):
            if error := next(answers):
                raise error
            return fine(attempt)

        with mock.patch.object(audit, "differences", differences):
            self.reconcile()

        assert CheckoutAttempt.objects.exclude(reconciled_at=None).count() == 2
        assert next(answers, "all were tried") == "all were tried"

    def test_payment_and_refund_we_never_heard_of_are_told(self):
        self.simulator.ledger.pay(self.open_session(make_order()))
        order = make_order()
        session = self.simulator.ledger.pay(self.open_session(order))
        fulfil.fulfil(session["id"])
        self.simulator.ledger.refund(session["payment_intent"], amount=100)

        self.reconcile()

        assert [problem.text.partition(":")[2] for problem in Problem.objects.order_by("pk")] == [
            " Stripe has 1250, we have None",
            " Stripe gave back 100, we 0",
        ]


class OneBadRowTests(SweeperTestCase):
    """Rows that fail every time, as many as a batch, do not keep those behind them waiting."""

    def setUp(self):
        super().setUp()
        self.enterContext(mock.patch.object(sweeper, "BATCH", 2))
        self.bad = [make_order() for _ in range(2)]
        self.good = make_order()

    def fails_for_the_bad(self, name, error):
        real = getattr(gateway, name)
        bad = [attempt.session_id for attempt in CheckoutAttempt.objects.filter(order__in=self.bad)]

        def act(session_id):
            if session_id in bad:
                raise error
            return real(session_id)

        return mock.patch.object(gateway, name, act)

    def test_paid_order_behind_attempts_that_fail_is_found(self):
        for error in (RuntimeError("odd"), gateway.Unavailable("an answer that makes no sense")):
            self.setUp()
            for order in self.bad:
                self.open_session(order)
            self.simulator.ledger.pay(self.open_session(self.good))
            self.grow_old(minutes=1)

            with self.fails_for_the_bad("get_session", error):
                self.sweep()
                self.sweep()

            assert_paid_once(self.good)

    def test_lapsed_order_behind_those_that_fail_is_let_go(self):
        for order in [*self.bad, self.good]:
            self.open_session(order)
        Order.objects.update(expires_at=timezone.now())

        with self.fails_for_the_bad("expire_session", RuntimeError("odd")):
            self.sweep()

        self.good.refresh_from_db()
        assert self.good.status == S.EXPIRED

    def test_event_that_cannot_be_stored_does_not_stop_those_behind_it(self):
        for order in [*self.bad, self.good]:
            self.simulator.ledger.pay(self.open_session(order))
        real, failures = webhooks.receive, iter([DataError("odd")])

        def receive(event):
            for error in failures:
                raise error
            return real(event)

        with mock.patch.object(webhooks, "receive", receive), self.captureOnCommitCallbacks(execute=True):
            assert sweeper.catch_up() == 5

    def test_event_in_the_list_that_makes_no_sense_does_not_stop_those_behind_it(self):
        self.simulator.ledger.pay(self.open_session(self.good))
        self.simulator.ledger.events[0]["type"] = "checkout.session.completed"
        self.simulator.ledger.events[0]["created"] = 10**18

        with self.captureOnCommitCallbacks(execute=True):
            assert sweeper.catch_up() == 1

        assert_paid_once(self.good)


class ForgetTests(SweeperTestCase):
    def test_old_events_and_parameters_go_and_young_ones_stay(self):
        old, young = self.paid_order(), self.paid_order()
        long_ago = timezone.now() - timedelta(days=61)
        of_old = WebhookEvent.objects.order_by("pk")[:2].values_list("pk", flat=True)
        WebhookEvent.objects.filter(pk__in=list(of_old)).update(received_at=long_ago)
        old.attempts.update(created_at=long_ago)

        sweeper.forget()

        assert WebhookEvent.objects.count() == 2
        assert old.attempts.get().params == {}
        assert young.attempts.get().params["customer_email"] == young.email


class InvoiceTests(SweeperTestCase):
    def test_payment_without_invoice_gets_one(self):
        order = self.paid_order()
        Invoice.objects.all().delete()

        self.sweep()
        self.sweep()

        assert invoice.issue(order) == order.invoices.get()
