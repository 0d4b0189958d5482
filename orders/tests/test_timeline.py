"""What the buyer reads about an order: how things stand, what happened, what is to come."""

from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.test import TestCase
from django.utils import timezone

from orders import invoice, timeline
from orders.models import Order, Withdrawal
from orders.tests.factories import make_item, make_order

S = Order.Status


class NowTests(TestCase):
    def now(self, *, has_all=False, **fields):
        return str(timeline.now(make_order(**fields), has_all=has_all))

    def test_each_state_has_its_own_words(self):
        words = [self.now(status=status) for status in S]

        assert len(set(words)) == len(S)

    def test_files_can_be_downloaded_once_they_are_paid(self):
        for status in S:
            assert ("Your files" in self.now(status=status, has_all=True)) == (status == S.PAID), status

    def test_who_ended_it_is_said_while_it_ends_and_afterwards(self):
        over = {"expires_at": timezone.now()}
        for fields, words in [
            (over, "The time to pay is over"),
            (over | {"undone_by": "buyer"}, "This order is being undone"),
            ({"status": S.EXPIRED}, "It was not paid in time"),
            ({"status": S.EXPIRED, "undone_by": "buyer"}, "You undid this order"),
            ({"status": S.EXPIRED, "undone_by": "staff"}, "We cancelled this order"),
            ({"status": S.PAID, "undone_by": "buyer"}, "Thank you"),
            ({"status": S.PARTIALLY_REFUNDED, "is_refund_owed": True}, "Your bank sent the money back"),
        ]:
            assert self.now(**fields).startswith(words), fields


class StepsTests(TestCase):
    def steps(self, order, *, is_sent=True):
        order = Order.objects.get(pk=order.pk)
        steps = timeline.steps(order, list(order.invoices.order_by("pk")), is_sent=is_sent)
        return [str(step.label) for step in steps], [bool(step.at) for step in steps]

    def test_what_is_still_to_come_depends_on_what_is_done(self):
        order = make_order()
        assert self.steps(order) == (["Ordered", "Payment", "Invoice", "Sending"], [True, False, False, False])
        assert self.steps(order, is_sent=False)[0] == ["Ordered", "Payment", "Invoice"]

        order = make_order(paid=True)
        label = f"Invoice {order.invoices.get().label}"
        assert self.steps(order) == (["Ordered", "Paid", label, "Sending"], [True, True, True, False])
        order.mark_sent()
        assert self.steps(order)[0] == ["Ordered", "Paid", label, "Sent"]

    def test_nothing_is_to_come_when_it_is_over(self):
        ended = (S.EXPIRED, S.CANCELLED, S.REFUND_DUE, S.REFUNDED, S.CHARGED_BACK)
        order = make_order()
        for status in S:
            Order.objects.update(status=status)
            assert (self.steps(order)[0] == ["Ordered"]) == (status in ended), status
        Order.objects.update(status=S.AWAITING_PAYMENT, expires_at=timezone.now())
        assert self.steps(order)[0] == ["Ordered"]

    def test_how_it_ended_is_a_step(self):
        for status, by, words in [
            (S.EXPIRED, "", "Not paid in time"),
            (S.EXPIRED, "buyer", "Undone by you"),
            (S.EXPIRED, "staff", "Cancelled by us"),
            (S.CANCELLED, "", "Cancelled"),
        ]:
            order = make_order(undone_by=by)
            order.move(status)
            assert self.steps(order)[0] == ["Ordered", words]

    def test_steps_come_in_the_order_in_which_they_happened(self):
        order = make_order(lines=[(make_item("20.00"), 1)], paid=True)
        with transaction.atomic():
            note = invoice.credit(order, Decimal("5.00"), "Torn")
        day = timedelta(days=1)
        asked = Withdrawal.objects.create(key="k", order=order, name="Ada", email=order.email, order_number="1")
        Withdrawal.objects.update(created_at=order.created_at + day, handled_at=order.created_at + 3 * day)
        order.invoices.filter(kind="credit_note").update(created_at=order.created_at + 2 * day)

        assert self.steps(order)[0][3:-1] == [
            "Withdrawn",
            f"€5.00 given back (credit note {note.label})",
            "Withdrawal dealt with",
        ]
        assert asked.order == order
