"""What the audit of the payments finds: each thing that can be wrong, beside what looks like it and is right."""

from decimal import Decimal
from itertools import count

from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from mail.models import OutgoingMail
from orders import invoice
from orders.models import Order
from orders.tests.factories import make_item, make_order
from payment import audit
from payment.models import CheckoutAttempt, Dispute, Payment, Problem, Refund
from payment.tests.stand_in import StripeTestCase

S = Order.Status
_numbers = count(1)


class BooksTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.item = make_item("30.00", stock=4)
        cls.order = make_order(lines=[(cls.item, 1)], paid=True)
        cls.payment = cls.pay(cls.order, 3000)

    @classmethod
    def pay(cls, order, amount, **fields):
        intent = f"pi_{next(_numbers)}"
        return Payment.objects.create(order=order, payment_intent=intent, amount=amount, currency="EUR", **fields)

    def refund(self, amount, *, payment=None, status="succeeded", note=True, **fields):
        key = f"re_{next(_numbers)}"
        payment = payment or self.payment
        Refund.objects.create(payment=payment, idempotency_key=key, amount=amount, status=status, **fields)
        if note and payment == self.payment:
            with transaction.atomic():
                invoice.credit(self.order, Decimal(amount) / 100, "Torn", reference=key)

    def lose(self, amount, payment=None, status="lost"):
        values = {"payment": payment or self.payment, "payment_intent": "pi", "currency": "EUR", "status": status}
        Dispute.objects.create(dispute_id=f"dp_{next(_numbers)}", amount=amount, **values)

    def put(self, **values):
        Order.objects.filter(pk=self.order.pk).update(**values)

    def test_books_that_agree_have_no_findings(self):
        free = make_order(lines=[(make_item("5.00"), 1)], discount="5.00", paid=True)
        self.pay(free, 0)

        assert audit.everything() == []
        self.refund(1000)
        self.put(status=S.PARTIALLY_REFUNDED)
        self.refund(500, status="requested", note=False)
        self.refund(700, status="failed", note=False)
        assert audit.everything() == []

    def test_a_paid_order_needs_an_accepted_payment(self):
        Payment.objects.update(is_accepted=False)

        for status in S:
            self.put(status=status)
            found = [f"Order {self.order.pk} is paid and has no payment"]
            is_paid = status in (S.PAID, S.SENT, S.PARTIALLY_REFUNDED)
            assert list(audit.paid_orders_have_their_money()) == (found if is_paid else []), status

    def test_an_accepted_payment_is_of_the_total_and_the_currency_agreed(self):
        for amount, currency, is_wrong in [
            (3000, "EUR", False),
            (3000, "eur", False),
            (2999, "EUR", True),
            (3001, "EUR", True),
            (3000, "USD", True),
            (3000, "CHF", True),
        ]:
            Payment.objects.update(amount=amount, currency=currency)
            found = [f"Order {self.order.pk}: {amount} {currency} came in for a total of 30.000"]
            assert list(audit.paid_orders_have_their_money()) == (found if is_wrong else []), (amount, currency)

    def test_an_order_with_an_accepted_payment_is_or_was_paid(self):
        was_paid = (S.PAID, S.SENT, S.PARTIALLY_REFUNDED, S.REFUNDED, S.CHARGED_BACK)
        for status in S:
            self.put(status=status)
            found = [f"Order {self.order.pk} has an accepted payment and is {status}"]
            assert list(audit.paid_orders_have_their_money()) == ([] if status in was_paid else found), status

    def test_the_status_says_how_much_went_back(self):
        right = {
            0: (S.PAID, S.SENT),
            1: (S.PARTIALLY_REFUNDED,),
            2999: (S.PARTIALLY_REFUNDED,),
            3000: (S.REFUNDED,),
        }
        for given, statuses in right.items():
            with transaction.atomic():
                if given:
                    self.refund(given)
                for status in (S.PAID, S.SENT, S.PARTIALLY_REFUNDED, S.REFUNDED, S.CHARGED_BACK):
                    self.put(status=status)
                    found = [f"Order {self.order.pk} is {status}, but {given} of 3000 were given back"]
                    is_right = status in (*statuses, S.CHARGED_BACK)
                    assert list(audit.refunds_agree()) == ([] if is_right else found), status
                transaction.set_rollback(True)

    def test_more_never_goes_back_than_came_in(self):
        self.put(status=S.REFUNDED)
        self.refund(3000)
        assert list(audit.refunds_agree()) == []

        self.refund(1, note=False)

        assert f"Payment {self.payment}: 3001 given back of 3000" in list(audit.refunds_agree())

    def test_the_credit_notes_are_over_what_went_back(self):
        self.put(status=S.PARTIALLY_REFUNDED)
        self.refund(1000)
        self.refund(1, note=False)

        [found] = audit.refunds_agree()
        assert found.endswith(", 1001 given back")

    def test_a_payment_that_was_not_accepted_goes_back_or_somebody_sees_to_it(self):
        second = self.pay(self.order, 500, is_accepted=False)
        problem = {"order": self.order, "key": "k", "text": "x"}
        for is_seen_to, act in [
            (False, lambda: None),
            (False, lambda: self.refund(499, payment=second)),
            (True, lambda: self.refund(500, payment=second)),
            (True, lambda: self.refund(500, payment=second, status="returned", settled_at=timezone.now())),
            (True, lambda: self.refund(1, payment=second, status="requested")),
            (False, lambda: self.refund(500, payment=second, status="failed")),
            (False, lambda: self.lose(499, second)),
            (True, lambda: self.lose(500, second)),
            (False, lambda: self.lose(500, second, status="won")),
            (True, lambda: (self.refund(100, payment=second), self.lose(400, second))),
            (True, lambda: Problem.objects.create(**problem)),
            (False, lambda: Problem.objects.create(**problem, resolved_at=timezone.now())),
        ]:
            with transaction.atomic():
                act()
                found = [f"Payment {second} was not accepted and has not gone back"]
                assert list(audit.refunds_agree()) == ([] if is_seen_to else found)
                transaction.set_rollback(True)

    def test_an_order_is_charged_back_when_disputes_took_what_refunds_had_left(self):
        for given, lost, gone in [
            (0, 3000, True),
            (0, 2999, False),
            (1000, 2000, True),
            (1000, 1999, False),
            (1000, 2001, True),
        ]:
            with transaction.atomic():
                if given:
                    self.refund(given)
                self.lose(lost)
                for status in (S.PAID, S.PARTIALLY_REFUNDED, S.REFUNDED, S.CHARGED_BACK):
                    self.put(status=status)
                    found = [f"Order {self.order.pk} is {status}, and {lost} of 3000 were charged back"]
                    assert list(audit.disputes_agree()) == ([] if gone == (status == S.CHARGED_BACK) else found)
                transaction.set_rollback(True)

    def test_an_order_that_was_given_back_without_any_dispute_is_not_charged_back(self):
        self.refund(3000)
        self.put(status=S.CHARGED_BACK)

        assert len(list(audit.disputes_agree())) == 1

    def test_a_refund_that_came_back_is_owed_until_it_is_settled_and_its_order_says_so(self):
        self.refund(1000, status="returned", note=False)
        self.put(is_refund_owed=True)
        owed = f"Order {self.order.pk}: 10.00 EUR came back and is still owed"
        assert list(audit.nothing_is_owed()) == [owed]

        Refund.objects.update(settled_at=timezone.now())

        assert list(audit.nothing_is_owed()) == [f"Order {self.order.pk} says that it owes a refund and owes none"]
        self.put(is_refund_owed=False)
        assert list(audit.nothing_is_owed()) == []

    def test_only_an_order_that_waits_has_an_open_attempt(self):
        CheckoutAttempt.objects.create(order=self.order, n=1, idempotency_key="co-1", expires_at=timezone.now())

        for status in S:
            self.put(status=status)
            found = [] if status == S.AWAITING_PAYMENT else ["Attempt co-1 is open, its order is not"]
            assert list(audit.attempts_agree()) == found, status
        CheckoutAttempt.objects.update(status=CheckoutAttempt.Status.COMPLETE)
        assert list(audit.attempts_agree()) == []

    def test_the_stock_is_what_it_was_less_what_orders_hold(self):
        line = self.order.lines.get()
        assert audit.stock({self.item.pk: 5}) == []
        assert audit.stock({self.item.pk: 4}) == [f"Product {self.item.pk}: 4 left and 1 held, 4 at first"]

        self.order.lines.filter(pk=line.pk).update(quantity=3, restocked=1)
        assert audit.stock({self.item.pk: 6}) == []

        self.put(holds_stock=False)
        assert audit.stock({self.item.pk: 4}) == []

    def test_every_accepted_payment_and_refund_has_its_mail(self):
        self.refund(1000)
        assert audit.mails() == ["0 invoice mails for 1", "0 refund mails for 1"]

        for kind in ("invoice", "refund"):
            OutgoingMail.objects.create(kind=kind, dedup_key=kind, to="a@example.com", message_id=kind)

        assert audit.mails() == []


class AgainstStripeTests(StripeTestCase):
    def setUp(self):
        super().setUp()
        self.order = self.paid_order()
        self.attempt = self.order.attempts.get()

    def test_a_payment_of_another_amount_is_named(self):
        Payment.objects.update(amount=1249)

        assert audit.against_stripe() == [f"{self.attempt}: Stripe has 1250, we have 1249"]

    def test_a_session_that_stripe_does_not_know_is_named(self):
        self.simulator.ledger.sessions.clear()

        assert audit.against_stripe() == [f"{self.attempt}: Stripe does not know its session"]

    def test_what_is_not_paid_has_nothing_to_compare(self):
        self.open_session(make_order())
        expired = make_order()
        self.simulator.ledger.expire(self.open_session(expired))

        assert audit.against_stripe() == []

    def test_a_refund_that_only_we_know_is_named(self):
        Refund.objects.create(payment=Payment.objects.get(), idempotency_key="k", amount=100, status="succeeded")

        assert audit.against_stripe() == [f"{self.attempt}: Stripe gave back 0, we 100"]
