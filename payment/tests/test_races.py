"""Everything at once, on real transactions. Each guard has a twin that shows what happens without it."""

from unittest import mock

from django.db import IntegrityError
from django.test import Client, LiveServerTestCase
from django.urls import reverse
from django.utils import timezone

from core.tests.races import MOST, Meeting, no_transaction, race
from core.tests.waiting import wait_until
from orders.models import Order
from orders.tests.factories import make_item, make_order
from payment import attempts, audit, fulfil, gateway, refunds
from payment.models import Payment, Refund
from payment.tests.stand_in import StandIn, StripeRaceTestCase, StripeTestCase, assert_paid_once

S = Order.Status


class RaceTestCase(StripeRaceTestCase):
    def assert_books_are_right(self):
        assert audit.everything() + audit.mails() + audit.against_stripe() == []

    def paid_at_stripe(self, **fields):
        order = make_order(**fields)
        session_id = self.open_session(order)
        self.simulator.ledger.pay(session_id)
        return order, session_id


class SamePaymentRaceTests(RaceTestCase):
    def test_a_thousand_copies_of_one_webhook_twenty_at_once_pay_once(self):  # D60
        order, _ = self.paid_at_stripe()
        event = self.new_events()[-1]
        answers = []

        errors = race(lambda _: answers.extend(self.post_event(event) for _ in range(50)), MOST)

        assert errors == []
        assert answers == [200] * 1000
        assert_paid_once(order)
        self.assert_books_are_right()

    def test_twenty_calls_of_fulfil_at_once_pay_once(self):
        order, session_id = self.paid_at_stripe()

        assert race(lambda _: fulfil.fulfil(session_id), 20) == []

        assert_paid_once(order)
        assert order.events.filter(status=S.PAID).count() == 1
        self.assert_books_are_right()

    def test_without_the_guards_the_database_has_to_refuse(self):
        """The twin: nobody asks whether the payment is news or whether the move was won."""
        order, session_id = self.paid_at_stripe()

        with mock.patch.object(fulfil, "_is_news", return_value=True), mock.patch.object(Order, "move"):
            errors = race(lambda _: fulfil.fulfil(session_id), 20)

        assert len(errors) == 19
        assert {type(error) for error in errors} == {IntegrityError}
        assert Payment.objects.filter(order=order).count() == 1

    def test_webhook_and_return_page_at_once_for_many_orders(self):
        paid = [self.paid_at_stripe() for _ in range(10)]
        events = {event["data"]["object"]["id"]: event for event in self.new_events()}
        visitor = self.client
        session = visitor.session
        session["orders"] = [order.token for order, _ in paid]
        session.save()

        def arrive(index):
            session_id = paid[index // 2][1]
            if index % 2:
                assert self.post_event(events[session_id]) == 200
            else:
                own = Client()
                own.cookies = visitor.cookies
                assert own.get(reverse("payment:completed"), {"session_id": session_id}).status_code == 200

        assert race(arrive, 20) == []

        for order, _ in paid:
            assert_paid_once(order)
        self.assert_books_are_right()


class OneSessionRaceTests(RaceTestCase):
    def test_pay_pressed_in_twenty_tabs_at_once_opens_one_session(self):
        order = make_order()
        urls = []

        assert race(lambda _: urls.append(attempts.start(order.token)), 20) == []

        assert len(set(urls)) == len(self.simulator.ledger.sessions) == order.attempts.count() == 1

    def test_without_looking_for_the_open_attempt_the_database_has_to_refuse(self):
        order = make_order()

        def opens_another(token):
            return attempts._new_attempt(order, n=1 + order.attempts.count())

        with mock.patch.object(attempts, "_open_attempt", opens_another):
            errors = race(lambda _: attempts.start(order.token), 8)

        assert [type(error) for error in errors] == [IntegrityError] * 7
        assert order.attempts.filter(status="open").count() == 1

    def test_two_sessions_both_paid_are_charged_once_net(self):
        pairs = []
        for number in range(10):
            order = make_order()
            first = self.open_session(order)
            second = gateway.create_session(order.attempts.get().params, key=f"other-{order.pk}-{number}").id
            pairs += [first, second]
        for session_id in pairs:
            self.simulator.ledger.pay(session_id)

        assert race(lambda index: fulfil.fulfil(pairs[index]), 20) == []

        for order in Order.objects.all():
            assert_paid_once(order)
        charged = [c["amount"] - c["amount_refunded"] for c in self.simulator.ledger.charges.values()]
        assert sum(charged) == 10 * 1250
        assert len(self.simulator.ledger.refunds) == 10
        self.assert_books_are_right()


class LateMoneyRaceTests(RaceTestCase):
    def test_a_hundred_late_payments_for_goods_that_are_gone_all_go_back(self):
        product = make_item(stock=0)
        session_ids = []
        for _ in range(100):
            order = make_order(lines=[(product, 1)], status=S.EXPIRED, holds_stock=False)
            Order.objects.filter(pk=order.pk).update(status=S.AWAITING_PAYMENT)
            session_ids.append(self.open_session(order))
            Order.objects.filter(pk=order.pk).update(status=S.EXPIRED)
            order.attempts.update(status="expired")
            self.simulator.ledger.pay(session_ids[-1])

        assert race(lambda index: [fulfil.fulfil(each) for each in session_ids[index::20]], 20) == []

        product.refresh_from_db()
        assert product.stock == 0
        assert set(Order.objects.values_list("status", flat=True)) == {S.REFUNDED}
        assert len(self.simulator.ledger.refunds) == 100
        assert audit.stock({product.pk: 0}) == []
        self.assert_books_are_right()

    def test_last_second_payment_and_expiry_at_once(self):
        product = make_item(stock=20)
        orders = []
        for _ in range(10):
            order = make_order(lines=[(product, 1)])
            type(product).objects.filter(pk=product.pk).update(stock=product.stock - len(orders) - 1)
            orders.append((order, self.open_session(order)))
        Order.objects.update(expires_at=timezone.now())

        def act(index):
            order, session_id = orders[index // 2]
            if index % 2:
                attempts.let_go(order)
                return
            try:
                self.simulator.ledger.pay(session_id)
            except Exception:
                return  # expired: the buyer sees so
            fulfil.fulfil(session_id)

        assert race(act, 20) == []

        for order, session_id in orders:
            order.refresh_from_db()
            is_paid = self.simulator.ledger.sessions[session_id]["payment_status"] == "paid"
            assert (order.status, order.holds_stock) == ((S.PAID, True) if is_paid else (S.EXPIRED, False))
        assert audit.stock({product.pk: 20}) == []
        self.assert_books_are_right()


class RefundRaceTests(RaceTestCase):
    def setUp(self):
        super().setUp()
        order, session_id = self.paid_at_stripe(lines=[(make_item("30.00"), 1)])
        fulfil.fulfil(session_id)
        self.payment = order.payments.get()

    def refund_at_once(self):
        return race(lambda index: refunds.request(self.payment, amount=1000, key=f"k{index}", reason="Torn page"), 10)

    def test_ten_refunds_of_a_third_at_once_give_back_the_whole_once(self):
        errors = self.refund_at_once()

        assert [type(error) for error in errors] == [refunds.TooMuch] * 7
        assert self.payment.refunded() == 3000
        assert len(self.simulator.ledger.refunds) == 3
        self.assert_books_are_right()

    def test_without_the_lock_more_is_promised_than_was_paid(self):
        with (
            mock.patch.object(refunds, "_lock"),
            mock.patch.object(refunds.transaction, "atomic", no_transaction),
            mock.patch.object(Payment, "refundable", Meeting(10).after(Payment.refundable)),
            mock.patch.object(refunds, "delay_on_commit"),
        ):
            assert self.refund_at_once() == []

        assert sum(Refund.objects.values_list("amount", flat=True)) == 10_000 > self.payment.amount


class RivalTests(StripeTestCase):
    """Deterministic: a rival does all its work between our look at Stripe and our transaction."""

    def race_against(self, rival):
        real = gateway.get_session

        def looks_then_loses(session_id):
            session = real(session_id)
            with mock.patch.object(gateway, "get_session", real):
                rival(session_id)
            return session

        order = make_order(lines=[(make_item(stock=1), 1)])
        session_id = self.open_session(order)
        self.simulator.ledger.pay(session_id)
        with mock.patch.object(gateway, "get_session", looks_then_loses), self.captureOnCommitCallbacks(execute=True):
            fulfil.fulfil(session_id)
        order.refresh_from_db()
        return order

    def test_rival_fulfils(self):
        assert_paid_once(self.race_against(fulfil.fulfil))

    def test_rival_refunds_the_whole(self):
        def rival(session_id):
            fulfil.fulfil(session_id)
            intent = self.simulator.ledger.sessions[session_id]["payment_intent"]
            self.simulator.ledger.refund(intent)
            refunds.learn(intent)

        assert self.race_against(rival).status == S.REFUNDED

    def test_rival_lets_the_order_lapse(self):
        order = self.race_against(lambda session_id: fulfil.lapse(Order.objects.get()))

        assert_paid_once(order)
        assert order.holds_stock


class WireTests(StandIn, LiveServerTestCase):
    """The whole way: the simulator delivers its webhooks to a running server."""

    def setUp(self):
        super().setUp()
        self.simulator.courier.url = self.live_server_url + reverse("payment:webhook")
        self.simulator.courier.backoff = (0.05,) * 1000  # a slow machine must not run out of tries
        self.addCleanup(setattr, self.simulator.courier, "backoff", ())

    def assert_all_paid(self, orders):
        assert self.simulator.courier.drain(200)
        for order in orders:
            assert_paid_once(order)
        assert audit.everything() + audit.mails() + audit.against_stripe() == []

    def pay_all(self, number=5):
        orders = [make_order() for _ in range(number)]
        for order in orders:
            self.simulator.ledger.pay(self.open_session(order))
        return orders

    def test_webhook_before_the_create_call_is_answered(self):
        first = {"mode": "event_first", "method": "POST", "path": "/v1/checkout/sessions", "times": 5}
        self.simulator.faults.set(api=[first])
        orders = [make_order() for _ in range(5)]
        for order in orders:
            attempts.start(order.token)

        self.assert_all_paid(orders)
        assert set(self.simulator.courier.outcomes) == {200}

    def test_every_event_five_times_in_parallel(self):
        self.simulator.faults.set(duplicate=5)

        self.assert_all_paid(self.pay_all())
        assert set(self.simulator.courier.outcomes) == {200}

    def test_events_held_back_and_shuffled(self):
        self.simulator.faults.set(hold=True)
        orders = self.pay_all()
        self.simulator.faults.reset()
        self.simulator.courier.release()

        self.assert_all_paid(orders)

    def test_two_signatures_pass_and_a_wrong_secret_is_tried_until_it_is_right(self):
        self.simulator.faults.set(two_signatures=True)
        orders = self.pay_all(1)
        assert self.simulator.courier.drain(200)
        self.simulator.faults.set(wrong_secret=True)
        orders += self.pay_all(1)
        wait_until(lambda: 400 in self.simulator.courier.outcomes)
        self.simulator.faults.reset()

        self.assert_all_paid(orders)
