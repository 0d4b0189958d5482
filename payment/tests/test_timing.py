"""When what is due: each limit from both sides."""

from datetime import timedelta
from unittest import mock

from django.utils import timezone

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
        CheckoutAttempt.objects.update(expires_at=self.now + attempts.TOO_SHORT + timedelta(minutes=1))
        assert self.open_session(self.order) == self.session_id

        CheckoutAttempt.objects.update(expires_at=self.now + attempts.TOO_SHORT)
        assert self.open_session(self.order) != self.session_id

    def test_order_past_its_time_is_let_go_when_pay_is_pressed(self):
        Order.objects.update(expires_at=self.now)

        with self.assertRaises(attempts.TimeIsUp):
            attempts.start(self.order.token)

        self.order.refresh_from_db()
        assert self.order.status == S.EXPIRED


class AskingTests(StripeTestCase):
    def asked(self):
        before = self.calls("GET /v1/checkout/sessions/")
        sweeper.sweep()
        return self.calls("GET /v1/checkout/sessions/") - before

    def age(self, **ago):
        CheckoutAttempt.objects.update(created_at=timezone.now() - timedelta(**ago))

    def test_webhook_gets_half_a_minute_before_stripe_is_asked(self):
        self.open_session(make_order())

        self.age(seconds=20)
        assert self.asked() == 0
        self.age(seconds=40)
        assert self.asked() == 1

    def test_bank_payment_is_asked_about_at_once_and_then_each_hour(self):
        order = make_order()
        self.simulator.ledger.pay(self.open_session(order), method="sepa_debit")
        self.tell_all()

        assert self.asked() == 1
        assert self.asked() == 0
        CheckoutAttempt.objects.update(asked_at=timezone.now() - timedelta(minutes=59))
        assert self.asked() == 0
        CheckoutAttempt.objects.update(asked_at=timezone.now() - timedelta(minutes=61))
        assert self.asked() == 1

    def test_paid_order_is_not_asked_about(self):
        self.paid_order()
        self.age(days=2)

        assert self.asked() == 0

    def test_attempt_is_compared_with_stripe_after_a_day(self):
        self.open_session(make_order())
        for hours, compared in ((23, 0), (25, 1)):
            self.age(hours=hours)
            sweeper.reconcile()
            assert CheckoutAttempt.objects.exclude(reconciled_at=None).count() == compared

    def test_attempt_that_never_got_a_session_is_not_compared(self):
        away = mock.patch.object(gateway, "create_session", side_effect=gateway.Unavailable("away"))
        with away, self.assertRaises(gateway.Unavailable):
            attempts.start(make_order().token)
        self.age(days=2)

        sweeper.reconcile()

        assert CheckoutAttempt.objects.get().reconciled_at is None


class CatchUpTests(StripeTestCase):
    def since(self, newest_ago=None):
        """Return how long ago the events begin that are asked for."""
        WebhookEvent.objects.all().delete()
        if newest_ago:
            WebhookEvent.objects.create(
                event_id="evt_1", kind="x", livemode=False, payload={}, happened_at=timezone.now() - newest_ago
            )
        with mock.patch.object(gateway, "events_since", return_value=iter([])) as asked:
            assert sweeper.catch_up() == 0
        return timedelta(seconds=round(timezone.now().timestamp() - asked.call_args.args[0], -1))

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
        long_ago = timezone.now() - timedelta(days=61)
        CheckoutAttempt.objects.update(created_at=long_ago)
        WebhookEvent.objects.update(received_at=long_ago, status=WebhookEvent.Status.FAILED)

        sweeper.forget()

        assert WebhookEvent.objects.count() == 2
        assert {(a.status, bool(a.params)) for a in CheckoutAttempt.objects.all()} == {
            ("open", True),
            ("complete", False),
        }

    def test_sixty_days_are_kept(self):
        self.paid_order()
        almost = timezone.now() - timedelta(days=59)
        CheckoutAttempt.objects.update(created_at=almost)
        WebhookEvent.objects.update(received_at=almost)

        sweeper.forget()

        assert WebhookEvent.objects.count() == 2
        assert CheckoutAttempt.objects.get().params


class MissingInvoiceTests(StripeTestCase):
    def test_invoice_is_made_for_accepted_money_of_the_last_month_only(self):
        for days, count in ((31, 0), (29, 1)):
            Invoice.objects.all().delete()
            order = self.paid_order()
            Invoice.objects.all().delete()
            Payment.objects.filter(order=order).update(created_at=timezone.now() - timedelta(days=days))
            Payment.objects.exclude(order=order).update(is_accepted=False)

            sweeper.sweep()

            assert Invoice.objects.count() == count

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
