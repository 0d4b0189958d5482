"""What a living process has in hand is done by no other, and what a dead one had is due again within a minute."""

from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.core import mail as sent_mail
from django.db import models
from django.test import TransactionTestCase
from django.utils import timezone

from content.fetch import FetchRefused
from core.jobs import lease
from core.tests.waiting import wait_until
from images import download
from images.models import Image
from images.tests.factories import make_image
from mail import attachments, delivery
from mail.models import OutgoingMail
from mail.tests.factories import make_mail
from orders import tasks
from payment import refunds, sweeper, webhooks


def wait_for_renewal(row: models.Model) -> None:
    rows = type(row).objects.filter(pk=row.pk)
    until = rows.get().lease_until
    wait_until(lambda: rows.get().lease_until > until)


class LivingTests(TransactionTestCase):
    def setUp(self):
        for name, value in {"LEASE": timedelta(seconds=20), "PACE": timedelta(milliseconds=20)}.items():
            self.enterContext(mock.patch.object(lease, name, value))
        self.mail = make_mail(available_at=timezone.now() + timedelta(days=1), attachment="paper:1")
        OutgoingMail.objects.update(available_at=timezone.now())

    def deliver_while(self, drawing) -> None:
        def draw(_number):
            attachments.register("paper", lambda _: attachments.Attachment("1.txt", b"hi", "text/plain"))
            drawing()
            return attachments.make("paper:1")

        attachments.register("paper", draw)
        delivery.deliver(self.mail.pk)

    def test_a_sender_busy_with_an_attachment_keeps_its_mail(self):
        self.deliver_while(lambda: wait_for_renewal(self.mail))

        self.mail.refresh_from_db()
        assert (self.mail.status, self.mail.attempts) == ("sent", 1)

    def test_a_sender_that_stood_still_does_not_send_what_another_has_sent(self):
        def stand_still():
            OutgoingMail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            assert delivery.sweep() == 1

        self.deliver_while(stand_still)

        assert len(sent_mail.outbox) == 1
        self.mail.refresh_from_db()
        assert (self.mail.status, self.mail.attempts) == ("sent", 2)

    def test_a_failure_after_a_renewal_is_noted(self):
        def break_late():
            wait_for_renewal(self.mail)
            raise MemoryError

        self.deliver_while(break_late)

        self.mail.refresh_from_db()
        assert (self.mail.status, self.mail.error) == ("queued", "MemoryError: ")

    def test_a_picture_that_comes_slowly_is_kept_by_who_fetches_it(self):
        image = make_image(status=Image.Status.FETCHING, source_url="https://e.example/a", file="")

        def slow(*_args, **_kwargs):
            wait_for_renewal(image)
            raise FetchRefused

        with mock.patch.object(download, "fetch", slow):
            download.download(image.pk)

        image.refresh_from_db()
        assert image.status == Image.Status.FAILED


@pytest.mark.parametrize(
    ("sweep", "wait"),
    [
        ("mail.tasks.sweep_outbox", lease.LEASE),
        ("mail.tasks.sweep_outbox", delivery.FIRST_PAUSE),
        ("orders.tasks.sweep_invoices", tasks.LATE),
        ("images.tasks.sweep_fetches", lease.LEASE),
        ("payment.tasks.sweep_payments", sweeper.YOUNG),
        ("payment.tasks.sweep_payments", webhooks.HELD),
        ("payment.tasks.sweep_payments", refunds.HELD),
        ("shop.tasks.answer_stock_alerts", timedelta(seconds=settings.SWEEPS["mail.tasks.sweep_outbox"])),
    ],
)
def test_what_a_fault_left_undone_is_looked_at_within_a_minute(sweep, wait):
    assert wait + timedelta(seconds=settings.SWEEPS[sweep]) <= timedelta(minutes=1)
