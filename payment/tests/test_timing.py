"""When what is due: each limit from both sides."""

from datetime import timedelta
from unittest import mock

from django.utils import timezone

from core.tests.clock import MOMENT, stopped
from mail.models import OutgoingMail
from orders.models import Invoice, Order
from orders.tests.factories import make_order
from payment import attempts, fulfil, gateway, sweeper
from payment.models import CheckoutAttempt, Payment, WebhookEvent
from payment.tests.stand_in import StripeTestCase

S = Order.Status


class EndOfAnOrderTests(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.order = make_order()
        self.session_id = self.open_session(self.order)
        self.now = timezone.now()

    def status_after_the_session_expired(self):
        self.simulator.ledger.expire(self.session_id)
        self.tell_all()
        self.order.refresh_from_db()
        return self.order.status

    def test_session_that_ran_out_ends_the_order_though_it_would_wait_longer(self):
        CheckoutAttempt.objects.update(expires_at=self.now)

        assert self.status_after_the_session_expired() == S.EXPIRED

    def test_session_that_was_ended_early_ends_an_order_that_was_given_up(self):
        assert self.order.give_up(by=Order.UndoneBy.BUYER)

        assert self.status_after_the_session_expired() == S.EXPIRED

    def test_session_that_was_ended_early_ends_no_order_that_still_waits(self):
        assert self.status_after_the_session_expired() == S.AWAITING_PAYMENT

    def test_session_that_ran_out_ends_no_order_that_has_another_one_open(self):
        CheckoutAttempt.objects.update(expires_at=self.now, status=CheckoutAttempt.Status.EXPIRED)
        second = self.open_session(self.order)

        assert self.status_after_the_session_expired() == S.AWAITING_PAYMENT
        assert self.simulator.ledger.sessions[second]["status"] == "open"

    def test_pay_page_is_shown_again_until_it_has_too_little_time_left(self):
        two_minutes = self.now + timedelta(minutes=2)
        with stopped(self.now):
            CheckoutAttempt.objects.update(expires_at=two_minutes + MOMENT)
            assert self.open_session(self.order) == self.session_id

            CheckoutAttempt.objects.update(expires_at=two_minutes)
            assert self.open_session(self.order) != self.session_id

    def test_order_past_its_time_is_let_go_when_pay_is_pressed(self):
        Order.objects.update(expires_at=self.now)

        with self.assertRaises(attempts.TimeIsUp):
            attempts.start(self.order.token)

        self.order.refresh_from_db()
        assert self.order.status == S.EXPIRED


class AskingTests(StripeTestCase):
    def stop(self):
        """Stop the clock; not earlier than the events have come, whose own moment is the real one."""
        self.enterContext(stopped())

    def asked(self):
        before = self.calls("GET /v1/checkout/sessions/")
        sweeper.sweep()
        return self.calls("GET /v1/checkout/sessions/") - before

    def age(self, ago):
        CheckoutAttempt.objects.update(created_at=timezone.now() - ago)

    def test_webhook_gets_half_a_minute_before_stripe_is_asked(self):
        self.open_session(make_order())

        self.stop()
        self.age(timedelta(seconds=30))
        assert self.asked() == 0
        self.age(timedelta(seconds=30) + MOMENT)
        assert self.asked() == 1

    def test_bank_payment_is_asked_about_at_once_and_then_each_hour(self):
        order = make_order()
        self.simulator.ledger.pay(self.open_session(order), method="sepa_debit")
        self.tell_all()
        self.stop()

        assert self.asked() == 1
        assert self.asked() == 0
        CheckoutAttempt.objects.update(asked_at=timezone.now() - timedelta(hours=1))
        assert self.asked() == 0
        CheckoutAttempt.objects.update(asked_at=timezone.now() - timedelta(hours=1) - MOMENT)
        assert self.asked() == 1

    def test_paid_order_is_not_asked_about(self):
        self.paid_order()
        self.age(timedelta(days=2))

        assert self.asked() == 0

    def test_those_that_were_not_asked_about_for_longest_come_first_and_a_sweep_takes_so_many_only(self):
        young, old, never = (self.open_session(make_order()) for _ in range(3))
        self.age(timedelta(hours=2))
        for session_id, minutes in ((young, 1), (old, 2)):
            CheckoutAttempt.objects.filter(session_id=session_id).update(
                asked_at=timezone.now() - timedelta(minutes=minutes)
            )

        with mock.patch.object(sweeper, "BATCH", 2):
            assert [attempt.session_id for attempt in sweeper.open_attempts()] == [never, old]

    def test_attempt_is_compared_with_stripe_after_a_day(self):
        self.open_session(make_order())
        self.stop()
        for age, compared in ((timedelta(days=1), 0), (timedelta(days=1) + MOMENT, 1)):
            self.age(age)
            sweeper.reconcile()
            assert CheckoutAttempt.objects.exclude(reconciled_at=None).count() == compared

    def test_attempt_that_never_got_a_session_is_not_compared(self):
        away = mock.patch.object(gateway, "create_session", side_effect=gateway.Unavailable("away"))
        with away, self.assertRaises(gateway.Unavailable):
            attempts.start(make_order().token)
        self.age(timedelta(days=2))

        sweeper.reconcile()

        assert CheckoutAttempt.objects.get().reconciled_at is None


class CatchUpTests(StripeTestCase):
    def since(self, newest_ago=None):
        """Return how long ago the events begin that are asked for."""
        WebhookEvent.objects.all().delete()
        if newest_ago:
            for ago in (newest_ago, timedelta(days=300)):
                WebhookEvent.objects.create(
                    event_id=str(ago), kind="x", livemode=False, payload={}, happened_at=self.now - ago
                )
        with stopped(self.now), mock.patch.object(gateway, "events_since", return_value=iter([])) as asked:
            assert sweeper.catch_up() == 0
            return timedelta(seconds=int(self.now.timestamp()) - asked.call_args.args[0])

    def setUp(self):
        super().setUp()
        self.now = timezone.now().replace(microsecond=0)

    def test_it_looks_back_two_hours_or_to_the_last_event_but_not_for_ever(self):
        assert self.since() == timedelta(hours=2)
        assert self.since(timedelta(minutes=30)) == timedelta(hours=2)
        assert self.since(timedelta(hours=5)) == timedelta(hours=5, minutes=5)
        assert self.since(timedelta(days=60)) == timedelta(days=29)

    def test_events_of_the_other_mode_are_left_out(self):
        self.simulator.ledger.pay(self.open_session(make_order()))
        for event in self.simulator.ledger.events:
            event["livemode"] = True

        assert sweeper.catch_up() == 0


class ForgettingTests(StripeTestCase):
    def test_what_is_open_or_failed_is_kept_however_old(self):
        self.open_session(make_order())
        self.simulator.ledger.pay(self.open_session(make_order()))
        self.tell_all()
        long_ago = timezone.now() - timedelta(days=60)
        CheckoutAttempt.objects.update(created_at=long_ago)
        WebhookEvent.objects.update(received_at=long_ago, status=WebhookEvent.Status.FAILED)

        sweeper.forget()

        assert WebhookEvent.objects.count() == 2
        assert {(a.status, bool(a.params)) for a in CheckoutAttempt.objects.all()} == {
            ("open", True),
            ("complete", False),
        }

    def test_sixty_days_are_kept_and_no_moment_more(self):
        self.paid_order()
        self.enterContext(stopped())
        for age, is_cached in ((timedelta(days=60), True), (timedelta(days=60) + MOMENT, False)):
            CheckoutAttempt.objects.update(created_at=timezone.now() - age)
            WebhookEvent.objects.update(received_at=timezone.now() - age)

            sweeper.forget()

            assert WebhookEvent.objects.exists() == is_cached
            assert bool(CheckoutAttempt.objects.get().params) == is_cached


class MissingInvoiceTests(StripeTestCase):
    def test_invoice_is_made_for_accepted_money_of_the_last_month_only(self):
        order = self.paid_order()
        Invoice.objects.all().delete()
        self.enterContext(stopped())
        month = timedelta(days=30)
        for age, is_accepted, count in ((month, True, 0), (month - MOMENT, False, 0), (month - MOMENT, True, 1)):
            Payment.objects.update(created_at=timezone.now() - age, is_accepted=is_accepted)

            sweeper.sweep()

            assert order.invoices.count() == count

    def test_two_sweeps_mail_it_once(self):
        order = self.paid_order()
        Invoice.objects.all().delete()

        sweeper.sweep()
        sweeper.sweep()

        assert OutgoingMail.objects.filter(dedup_key=f"invoice-mail:{order.pk}").count() == 1


class StrangerTests(StripeTestCase):
    """Sessions of other programs on the same Stripe account, and those that name an order they were not opened for."""

    def session(self, **changes):
        params = self.order.attempts.get().params
        return gateway.create_session(params | changes, key="other").id

    def setUp(self):
        super().setUp()
        self.order = make_order()
        self.open_session(self.order)

    def status_after(self, session_id):
        self.simulator.ledger.pay(session_id)
        fulfil.fulfil(session_id)
        self.order.refresh_from_db()
        return self.order.status

    def test_another_programs_session_is_nothing_to_us(self):
        assert self.status_after(self.session(metadata={})) == S.AWAITING_PAYMENT
        assert not self.order.problems.model.objects.exists()

    def test_session_with_an_unknown_attempt_is_told_to_staff(self):
        metadata = {"order": str(self.order.pk), "attempt": "co-0-0-x"}

        assert self.status_after(self.session(metadata=metadata)) == S.AWAITING_PAYMENT
        assert self.order.problems.model.objects.count() == 1

    def test_session_that_names_another_order_pays_neither(self):
        other = make_order()
        metadata = self.order.attempts.get().params["metadata"] | {"order": str(other.pk)}

        assert self.status_after(self.session(metadata=metadata)) == S.AWAITING_PAYMENT
        other.refresh_from_db()
        assert other.status == S.AWAITING_PAYMENT
        assert self.order.problems.model.objects.count() == 1
