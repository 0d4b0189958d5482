from decimal import Decimal
from itertools import permutations

from django.test import override_settings

from cart import coupons
from cart.models import Coupon
from core.stores import redisstore
from mail.addresses import is_proven
from mail.models import OutgoingMail
from orders.models import Invoice, Order
from orders.tests.factories import make_item, make_order
from payment import fulfil, gateway
from payment.models import CheckoutAttempt, Payment, Problem, Refund
from payment.tests.stand_in import StripeTestCase, assert_paid_once
from shop.models import Basket

S = Order.Status


class FulfilTests(StripeTestCase):
    def test_paid_session_makes_payment_invoice_and_mail(self):
        order = make_order(lines=[(make_item("12.50"), 2)])

        self.simulator.ledger.pay(self.open_session(order))
        self.tell_all()

        assert_paid_once(order)
        payment = Payment.objects.get()
        assert (payment.amount, payment.currency) == (2500, "EUR")
        assert order.attempts.get().status == CheckoutAttempt.Status.COMPLETE
        assert order.events.get(status=S.PAID).stripe_event.startswith("evt_")
        assert is_proven(order.email)
        assert not Problem.objects.exists()

    def test_second_fulfil_changes_nothing(self):  # D60
        order = self.paid_order(lines=[(make_item(), 1), (make_item(), 2)])

        fulfil.fulfil(order.attempts.get().session_id)

        assert_paid_once(order)
        assert Basket.objects.filter(order_id=order.pk).count() == 1
        assert order.events.filter(status=S.PAID).count() == 1

    @override_settings(REDIS_URL="redis://127.0.0.1:1/0")
    def test_redis_away_while_the_webhook_comes_loses_nothing(self):  # D63
        redisstore.forget_failure()
        self.addCleanup(redisstore.forget_failure)

        order = self.paid_order(lines=[(make_item(), 1), (make_item(), 2)])

        assert_paid_once(order)
        assert Basket.objects.filter(order_id=order.pk).count() == 1

    def test_event_types_in_any_order_pay_once(self):
        for order_of_events in permutations(range(4)):
            order = make_order()
            self.simulator.ledger.pay(self.open_session(order))
            completed_and_paid = self.new_events()
            events = [*completed_and_paid, *completed_and_paid]

            for index in order_of_events:
                assert self.post_event(events[index]) == 200

            assert_paid_once(order)
        assert Payment.objects.count() == 24

    def test_open_session_changes_nothing(self):
        order = make_order()

        fulfil.fulfil(self.open_session(order))

        order.refresh_from_db()
        assert order.status == S.AWAITING_PAYMENT

    def test_webhook_quicker_than_the_answer_to_our_call(self):
        order = make_order()
        session_id = self.open_session(order)
        CheckoutAttempt.objects.update(session_id=None, url="")

        self.simulator.ledger.pay(session_id)
        self.tell_all()

        assert_paid_once(order)
        assert order.attempts.get().session_id == session_id


class WrongMoneyTests(StripeTestCase):
    def pay_wrongly(self, **faults):
        order = make_order()
        session_id = self.open_session(order)
        self.simulator.faults.set(**faults)
        self.simulator.ledger.pay(session_id)
        self.simulator.faults.reset()
        fulfil.fulfil(session_id)
        order.refresh_from_db()
        return order

    def assert_flagged(self, order):
        assert order.status == S.AWAITING_PAYMENT
        assert not Invoice.objects.exists()
        assert not Payment.objects.accepted().exists()
        assert Problem.objects.count() == 1
        assert OutgoingMail.objects.filter(kind="payment-problem").count() == 1

    def test_one_cent_for_a_dear_order_is_flagged_not_paid(self):  # D61
        self.assert_flagged(self.pay_wrongly(amount=1))

    def test_too_much_is_flagged_not_paid(self):
        self.assert_flagged(self.pay_wrongly(amount=10**9))

    def test_other_currency_is_flagged_not_paid(self):  # D61
        self.assert_flagged(self.pay_wrongly(currency="usd"))

    def test_live_payment_on_a_test_key_is_flagged_not_paid(self):
        self.assert_flagged(self.pay_wrongly(livemode=True))

    @override_settings(STRIPE_SECRET_KEY="sk_live_of_the_tests")
    def test_test_payment_on_a_live_key_is_flagged_not_paid(self):
        self.simulator.api.secret_key = "sk_live_of_the_tests"
        self.addCleanup(setattr, self.simulator.api, "secret_key", "sk_test_of_the_tests")

        self.assert_flagged(self.pay_wrongly())

    def test_other_order_is_flagged_and_neither_is_paid(self):
        other = make_order()

        self.assert_flagged(self.pay_wrongly(metadata={"order": str(other.pk)}))

        other.refresh_from_db()
        assert other.status == S.AWAITING_PAYMENT

    def test_unknown_order_is_flagged(self):
        self.assert_flagged(self.pay_wrongly(metadata={"order": "987654321"}))

    def test_session_that_names_another_order_and_its_attempt_pays_neither(self):
        """The session that an attempt knows is that attempt's, whichever it says and whichever is older."""
        for is_older in (True, False):
            orders = [make_order(), make_order()]
            for order in orders:
                self.open_session(order)
            mine, other = orders if is_older else reversed(orders)
            metadata = other.attempts.get().params["metadata"]
            session_id = mine.attempts.get().session_id
            self.simulator.faults.set(metadata=metadata)
            self.simulator.ledger.pay(session_id)
            self.simulator.faults.reset()

            fulfil.fulfil(session_id)

            assert set(Order.objects.values_list("status", flat=True)) == {S.AWAITING_PAYMENT}
            assert Problem.objects.filter(key=f"order-{session_id}").count() == 1

    def test_session_of_another_installation_that_nobody_paid_is_no_problem(self):
        order = make_order()
        self.open_session(order)
        params = order.attempts.get().params
        metadata = {"order": str(order.pk), "attempt": "theirs"}
        foreign = gateway.create_session(params | {"metadata": metadata}, key="theirs").id

        fulfil.fulfil(foreign)
        self.simulator.ledger.expire(foreign)
        fulfil.fulfil(foreign)

        assert not Problem.objects.exists()
        assert Order.objects.get().status == S.AWAITING_PAYMENT

    def test_bank_payment_of_another_amount_is_not_said_to_be_on_its_way(self):
        order = make_order()
        session_id = self.open_session(order)
        self.simulator.faults.set(amount=1249)
        self.simulator.ledger.pay(session_id, method="sepa_debit")

        fulfil.fulfil(session_id)

        order.refresh_from_db()
        assert order.status == S.AWAITING_PAYMENT

    def test_staff_read_what_is_other_than_agreed(self):
        self.pay_wrongly(amount=1249, currency="usd", livemode=True)

        text = Problem.objects.get().text
        for words in ("amount: 1250 ≠ 1249", "currency: EUR ≠ USD", "test or live mode: False ≠ True"):
            assert words in text

    def test_words_for_an_order_are_flagged(self):
        self.assert_flagged(self.pay_wrongly(metadata={"order": "abc"}))

    def test_session_of_another_installation_on_the_same_account_pays_nothing(self):
        order = make_order()
        self.open_session(order)
        params = order.attempts.get().params
        metadata = {"order": str(order.pk), "attempt": f"co-{order.pk}-1-theirs"}
        foreign = gateway.create_session(params | {"metadata": metadata}, key="theirs").id

        self.simulator.ledger.pay(foreign)
        self.tell_all()

        order.refresh_from_db()
        self.assert_flagged(order)

    def test_session_of_another_program_on_the_same_account_is_none_of_our_business(self):
        order = make_order()
        self.open_session(order)
        params = order.attempts.get().params
        foreign = gateway.create_session(params | {"metadata": {"order": str(order.pk)}}, key="theirs").id

        self.simulator.ledger.pay(foreign)
        self.tell_all()

        order.refresh_from_db()
        assert order.status == S.AWAITING_PAYMENT
        assert not Problem.objects.exists()

    def test_flag_is_raised_once(self):
        order = self.pay_wrongly(amount=1)

        fulfil.fulfil(order.attempts.get().session_id)

        self.assert_flagged(order)


class LateMoneyTests(StripeTestCase):
    def lapse(self, order):
        fulfil.lapse(order)

    def test_late_payment_takes_the_stock_again(self):
        product = make_item(stock=1)
        order = make_order(lines=[(product, 1)])
        session_id = self.open_session(order)
        self.lapse(order)

        self.simulator.ledger.pay(session_id)
        self.tell_all()

        assert_paid_once(order)
        product.refresh_from_db()
        assert (product.stock, order.holds_stock) == (1, True)

    def test_late_payment_for_goods_that_are_gone_goes_back_once(self):
        product = make_item(stock=0)
        order = make_order(lines=[(product, 1)])
        session_id = self.open_session(order)
        self.lapse(order)
        type(product).objects.update(stock=0)

        self.simulator.ledger.pay(session_id)
        self.tell_all()
        self.tell_all()

        order.refresh_from_db()
        product.refresh_from_db()
        assert (order.status, product.stock) == (S.REFUNDED, 0)
        assert Refund.objects.get().status == Refund.Status.SUCCEEDED
        assert len(self.simulator.ledger.refunds) == 1
        assert not Invoice.objects.exists()
        assert OutgoingMail.objects.filter(kind="refund").count() == 1

    def test_money_for_an_order_that_the_bank_had_refused_pays_it_or_goes_back(self):
        for stock, status in ((1, S.PAID), (0, S.REFUNDED)):
            product = make_item(stock=9)
            order = make_order(lines=[(product, 1)])
            session_id = self.open_session(order)
            order.move(S.CANCELLED)
            type(product).objects.update(stock=stock)
            Order.objects.filter(pk=order.pk).update(holds_stock=False)

            self.simulator.ledger.pay(session_id)
            self.tell_all()

            order.refresh_from_db()
            assert order.status == status

    def late_order_with_coupon(self, **limits):
        coupon = Coupon.objects.create(code="TWICE", amount=Decimal(2), **limits)
        order = make_order(lines=[(make_item("10.00", stock=5), 1)], discount="2.00", coupon_code="TWICE")
        coupons.redeem(coupon, order.pk, email=order.email)
        session_id = self.open_session(order)
        self.lapse(order)
        coupon.refresh_from_db()
        assert coupon.used == 0
        return coupon, order, session_id

    def pay_late(self, order, session_id):
        self.simulator.ledger.pay(session_id)
        self.tell_all()
        order.refresh_from_db()

    def test_late_payment_takes_its_coupon_again(self):
        coupon, order, session_id = self.late_order_with_coupon(max_uses=1)

        self.pay_late(order, session_id)

        assert_paid_once(order)
        coupon.refresh_from_db()
        assert (coupon.used, coupon.uses.get().order_id) == (1, order.pk)

    def test_late_payment_whose_coupon_others_have_used_up_goes_back_once(self):
        coupon, order, session_id = self.late_order_with_coupon(max_uses=2)
        for number in (1, 2):
            coupons.redeem(coupon, order.pk + number, email=f"{number}@example.com")

        self.pay_late(order, session_id)
        self.tell_all()

        coupon.refresh_from_db()
        product = order.lines.get().product
        assert (order.status, order.holds_stock, product.stock) == (S.REFUNDED, False, 6)
        assert (coupon.used, coupon.uses.count()) == (2, 2)
        assert [refund["amount"] for refund in self.simulator.ledger.refunds.values()] == [800]
        assert "its coupon is used up" in order.events.get(status=S.REFUND_DUE).note

    def test_late_payment_of_a_customer_who_has_used_the_coupon_again_goes_back(self):
        coupon, order, session_id = self.late_order_with_coupon(max_uses_each=1)
        coupons.redeem(coupon, order.pk + 1, email=order.email)

        self.pay_late(order, session_id)

        assert (order.status, coupon.uses.count()) == (S.REFUNDED, 1)

    def test_late_payment_keeps_a_discount_whose_coupon_has_ended_or_gone_since(self):
        for end in ("deleted", "ended"):
            coupon, order, session_id = self.late_order_with_coupon()
            if end == "deleted":
                coupon.delete()
            else:
                Coupon.objects.update(is_active=False)

            self.pay_late(order, session_id)

            assert_paid_once(order)

    def test_second_session_of_a_paid_order_is_refunded(self):  # D62
        order = make_order()
        first = self.open_session(order)
        attempt = order.attempts.get()
        second = gateway.create_session(attempt.params, key="a-key-we-never-used").id

        self.simulator.ledger.pay(first)
        self.simulator.ledger.pay(second)
        self.tell_all()
        self.tell_all()

        assert_paid_once(order)
        assert Payment.objects.filter(is_accepted=False).get().refunds.get().amount == 1250
        assert sum(charge["amount_refunded"] for charge in self.simulator.ledger.charges.values()) == 1250


class BankPaymentTests(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.product = make_item(stock=3)
        self.order = make_order(lines=[(self.product, 1)])
        self.session_id = self.open_session(self.order)
        self.simulator.ledger.pay(self.session_id, method="sepa_debit")

    def test_unpaid_completion_is_on_its_way_without_invoice(self):
        self.tell_all()

        self.order.refresh_from_db()
        assert self.order.status == S.PROCESSING
        assert not Invoice.objects.exists()

    def test_money_that_arrives_days_later_pays(self):  # D73
        self.tell_all()
        self.simulator.ledger.settle(self.session_id)
        self.tell_all()

        assert_paid_once(self.order)

    def test_refused_by_the_bank_gives_the_stock_back_and_says_so(self):
        self.tell_all()
        self.simulator.ledger.settle(self.session_id, arrived=False)
        self.tell_all()

        self.order.refresh_from_db()
        self.product.refresh_from_db()
        assert (self.order.status, self.product.stock) == (S.CANCELLED, 4)
        assert OutgoingMail.objects.filter(kind="payment-failed").count() == 1


class EveryOrderOfEventsTests(StripeTestCase):
    """State follows the fetched session: the same events in any order end the same."""

    def final_states(self, act, *, number):
        """Return the states that all orders of the `number` events end in; of 120 orders every tenth is tried."""
        states = set()
        for sequence in list(permutations(range(number)))[:: 10 if number > 4 else 1]:
            order = make_order()
            act(self.open_session(order))
            events = self.new_events()
            assert len(events) == number
            for position in sequence:
                assert self.post_event(events[position]) == 200
            order.refresh_from_db()
            states.add((order.status, order.payments.count(), order.invoices.count(), order.holds_stock))
        return states

    def test_paid_then_partly_refunded(self):
        def act(session_id):
            session = self.simulator.ledger.pay(session_id)
            self.simulator.ledger.refund(session["payment_intent"], amount=250)

        assert self.final_states(act, number=4) == {(S.PARTIALLY_REFUNDED, 1, 2, True)}

    def test_declined_then_paid_then_refunded_as_a_whole(self):
        def act(session_id):
            self.simulator.ledger.decline(session_id)
            session = self.simulator.ledger.pay(session_id)
            self.simulator.ledger.refund(session["payment_intent"])

        assert self.final_states(act, number=5) == {(S.REFUNDED, 1, 2, True)}

    def test_bank_payment_that_arrives(self):
        def act(session_id):
            self.simulator.ledger.pay(session_id, method="sepa_debit")
            self.simulator.ledger.settle(session_id)

        assert self.final_states(act, number=3) == {(S.PAID, 1, 1, True)}

    def test_bank_payment_that_is_refused(self):
        def act(session_id):
            self.simulator.ledger.pay(session_id, method="sepa_debit")
            self.simulator.ledger.settle(session_id, arrived=False)

        assert self.final_states(act, number=3) == {(S.CANCELLED, 0, 0, False)}


class FreeOrderTests(StripeTestCase):
    def test_order_of_nothing_is_paid_without_stripe(self):  # D73
        order = make_order(lines=[(make_item("10.00"), 1)], discount="10.00")

        assert fulfil.pay_nothing(order)
        assert not fulfil.pay_nothing(order)

        assert_paid_once(order)
        assert not self.simulator.api.calls

    def test_order_of_something_is_not(self):
        order = make_order()

        assert not fulfil.pay_nothing(order)

        order.refresh_from_db()
        assert order.status == S.AWAITING_PAYMENT


class SnapshotTests(StripeTestCase):
    def test_price_changed_after_ordering_does_not_reach_the_pay_page(self):
        product = make_item("10.00")
        order = make_order(lines=[(product, 3)], discount="5.00")
        type(product).objects.update(price=99, name="Other")

        session = self.simulator.ledger.sessions[self.open_session(order)]

        assert (session["amount_total"], session["total_details"]["amount_discount"]) == (2500, 500)
        assert self.simulator.ledger.items[session["id"]][0]["description"] == product.name
