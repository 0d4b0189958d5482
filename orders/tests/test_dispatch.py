"""Sending an order and noting things about it, as staff do it."""

from unittest import mock

import pytest
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from mail.models import OutgoingMail
from orders import dispatch, mails
from orders.models import Order
from orders.tests.factories import make_order

LINK = "https://parcels.example/track?id=12&x=<b>"


class HandleTests(TestCase):
    def setUp(self):
        self.order = make_order(paid=True)
        self.page = reverse("orders:admin_order_handle", args=[self.order.pk])
        self.client.force_login(make_user("staff", staff=True))

    def sent_mails(self):
        return OutgoingMail.objects.filter(kind="order-sent")

    def test_sent_with_its_tracking_the_buyer_is_told_once(self):
        for _ in range(2):
            self.client.post(self.page, {"send": "yes", "tracking": LINK})

        self.order.refresh_from_db()
        assert (self.order.status, self.order.tracking) == (Order.Status.SENT, LINK)
        assert LINK in self.sent_mails().get().text
        buyer = self.client.get(self.order.get_absolute_url())
        self.assertContains(buyer, '<a href="https://parcels.example/track?id=12&amp;x=&lt;b&gt;"')
        assert self.order.events.filter(actor__username="staff").exists()

    def test_a_number_is_shown_as_it_is_and_may_come_later(self):
        dispatch.send(self.order, actor=None)
        for _ in range(2):
            self.client.post(self.page, {"send": "yes", "tracking": "javascript:alert(1)"})
        assert [event.note for event in self.order.events.all()][-2:] == ["", "Tracking: javascript:alert(1)"]

        page = self.client.get(self.order.get_absolute_url())

        self.assertContains(page, "javascript:alert(1)")
        self.assertNotContains(page, 'href="javascript')
        assert self.sent_mails().count() == 1

    def test_nothing_is_sent_before_it_is_paid(self):
        order = make_order()
        page = reverse("orders:admin_order_handle", args=[order.pk])

        self.assertContains(self.client.get(page), "Nothing is sent before it is paid")
        self.assertContains(self.client.post(page, {"send": "yes"}, follow=True), "in no state for this")
        assert not self.sent_mails().exists()

    def test_mail_and_status_stand_or_fall_together(self):
        with mock.patch.object(mails, "sent", side_effect=RuntimeError), pytest.raises(RuntimeError):
            dispatch.send(self.order, actor=None)

        self.order.refresh_from_db()
        assert (self.order.status, self.order.sent_at) == (Order.Status.PAID, None)

    def test_a_note_is_for_staff_only(self):
        self.client.post(self.page, {"note": "Wrap it twice."})

        self.assertContains(self.client.get(self.page), "Wrap it twice.")
        self.assertNotContains(self.client.get(self.order.get_absolute_url()), "Wrap it twice.")
        assert self.client.post(self.page, {"note": "  "}).status_code == 422
        for length, status in ((300, 302), (301, 422)):
            assert self.client.post(self.page, {"send": "yes", "tracking": "x" * length}).status_code == status
            assert self.client.post(self.page, {"note": "x" * length}).status_code == status
        assert len(self.order.events.last().note) == 300

    def test_what_staff_did_is_said_to_them(self):
        for fields, words in [
            ({"note": "Wrap it."}, "Noted."),
            ({"send": "yes"}, "Marked as sent; the buyer gets a mail."),
            ({"send": "yes"}, "in no state for this"),
            ({"send": "yes", "tracking": "12"}, "The tracking is on the order"),
        ]:
            self.assertContains(self.client.post(self.page, fields, follow=True), words)

    def test_it_can_be_sent_while_it_is_paid_and_not_sent(self):
        for status in Order.Status:
            Order.objects.update(status=status)
            is_paid = status in ("paid", "fulfilled", "partially_refunded")
            assert self.client.get(self.page).context["can_send"] == is_paid, status
        dispatch.send(self.order, actor=None)
        Order.objects.update(status="paid", sent_at=timezone.now())
        assert not self.client.get(self.page).context["can_send"]

    def test_pages_for_staff_are_kept_nowhere(self):
        detail = reverse("orders:admin_order_detail", args=[self.order.pk])
        pdf = reverse("orders:admin_order_pdf", args=[self.order.pk])
        for address in (self.page, detail, pdf):
            assert "no-store" in self.client.get(address)["Cache-Control"], address
        for address in (detail, pdf):
            assert self.client.post(address).status_code == 405
        assert self.client.put(self.page).status_code == 405

    def test_members_and_staff_without_permission_are_kept_out(self):
        member = make_user("bob")
        self.client.force_login(member)
        assert self.client.get(self.page).status_code == 302

        member.is_staff = True
        member.save()
        assert self.client.post(self.page, {"send": "yes"}).status_code == 403
