import smtplib
from datetime import timedelta
from types import SimpleNamespace
from unittest import mock

import pytest
import time_machine
from django.conf import settings
from django.core import mail as sent_mail
from django.db import DataError, OperationalError, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase
from django.utils import timezone

from config.celery import app as celery_app
from core.tests.races import MOST, Meeting, look_then_write, no_transaction, race
from mail import attachments, delivery
from mail.models import MAX_ATTEMPTS, OutgoingMail, OutgoingMailQuerySet
from mail.tests.factories import make_mail

SEND = "django.core.mail.backends.locmem.EmailBackend.send_messages"


OPEN = "django.core.mail.backends.locmem.EmailBackend.open"


def refused(code):
    return smtplib.SMTPRecipientsRefused({"bob@example.com": (code, b"no")})


def past(**delta):
    return timezone.now() - timedelta(**delta)


class DeliverTests(TestCase):
    def test_sent_mail_is_not_sent_again(self):
        mail = make_mail()

        assert delivery.deliver(mail.pk)
        assert not delivery.deliver(mail.pk)

        assert len(sent_mail.outbox) == 1

    def test_unknown_mail_is_nothing_to_do(self):
        assert not delivery.deliver(10**9)

    def test_mail_never_leaves_within_a_transaction(self):
        mail = make_mail()

        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            delivery.deliver(mail.pk)

        assert not sent_mail.outbox

    def test_passing_failure_is_tried_again_later(self):
        mail = make_mail()

        with mock.patch(SEND, side_effect=refused(451)), self.assertLogs("mail.delivery", "WARNING") as log:
            assert not delivery.deliver(mail.pk)

        assert "waits for attempt 2" in log.output[0]
        mail.refresh_from_db()
        assert (mail.status, mail.attempts) == ("queued", 1)
        assert mail.available_at > timezone.now()
        assert not delivery.deliver(mail.pk), "not before it is due"

    def test_pauses_grow(self):
        pauses = []
        mail = make_mail()

        with time_machine.travel(timezone.now(), tick=False) as clock:
            for _ in range(MAX_ATTEMPTS - 1):
                with mock.patch(SEND, side_effect=ConnectionRefusedError()):
                    delivery.deliver(mail.pk)
                mail.refresh_from_db()
                pauses.append((mail.available_at - timezone.now()).total_seconds())
                clock.shift(pauses[-1])

        assert pauses == [30, 180, 1080, 6480]

    def test_fifth_failure_is_the_last(self):
        mail = make_mail(attempts=MAX_ATTEMPTS - 1)

        with mock.patch(SEND, side_effect=TimeoutError("slow" * 300)):
            delivery.deliver(mail.pk)

        mail.refresh_from_db()
        assert (mail.status, mail.error) == ("failed", f"TimeoutError: {'slow' * 300}"[:1000])

    def test_server_that_is_away_costs_no_attempt_and_is_asked_again_in_five_seconds(self):
        mail = make_mail(attempts=2)

        with (
            time_machine.travel(timezone.now(), tick=False),
            mock.patch(OPEN, side_effect=ConnectionRefusedError("no" * 600)),
        ):
            assert not delivery.deliver(mail.pk)
            mail.refresh_from_db()
            assert mail.available_at == timezone.now() + timedelta(seconds=5)

        assert (mail.status, mail.attempts) == ("queued", 2)
        assert mail.error == f"ConnectionRefusedError: {'no' * 600}"[:1000]

    def test_mail_that_another_sender_has_taken_meanwhile_is_left_to_them(self):
        mail, theirs = make_mail(), timezone.now() + timedelta(minutes=1)

        with mock.patch(OPEN, side_effect=lambda: OutgoingMail.objects.update(lease_until=theirs)):
            assert not delivery.deliver(mail.pk)

        mail.refresh_from_db()
        assert (mail.status, mail.lease_until, mail.error) == ("sending", theirs, "")
        assert not sent_mail.outbox

    def test_lasting_refusal_fails_at_once(self):
        mail = make_mail()

        with mock.patch(SEND, side_effect=refused(550)):
            delivery.deliver(mail.pk)

        mail.refresh_from_db()
        assert (mail.status, mail.attempts) == ("failed", 1)

    def test_attachment_is_made_when_the_mail_is_sent(self):
        attachments.register("test-paper", lambda number: attachments.Attachment(f"{number}.txt", b"hi", "text/plain"))
        mail = make_mail(attachment="test-paper:12")

        delivery.deliver(mail.pk)

        assert [tuple(part) for part in sent_mail.outbox[0].attachments] == [("12.txt", "hi", "text/plain")]

    def test_attachment_that_cannot_be_made_waits(self):
        mail = make_mail(attachment="unknown:12")

        delivery.deliver(mail.pk)

        mail.refresh_from_db()
        assert mail.status == "queued"
        assert "unknown" in mail.error

    def test_slow_loser_of_a_lease_cannot_unsend(self):
        mail = make_mail()

        def sent_by_another(*args, **kwargs):
            OutgoingMail.objects.filter(pk=mail.pk).update(status="sent", lease_until=None)
            raise TimeoutError

        with mock.patch(SEND, side_effect=sent_by_another):
            delivery.deliver(mail.pk)

        mail.refresh_from_db()
        assert mail.status == "sent"


class NotedTests(TestCase):
    """The server has the mail: what is not written down leaves a second time."""

    def deliver(self, *errors):
        """Deliver while writing it down fails so often; return what became of it and the pauses in between."""
        mail, pauses, coming = make_mail(), [], list(errors)
        update = OutgoingMailQuerySet.update

        def refuse(rows, **values):
            if values["status"] == "sent" and coming:
                raise coming.pop(0)
            return update(rows, **values)

        with (
            mock.patch.object(OutgoingMailQuerySet, "update", refuse),
            mock.patch.object(delivery.Lease, "hold"),
            mock.patch.object(delivery, "time", SimpleNamespace(sleep=pauses.append)),
            mock.patch.object(delivery, "connection"),  # which a TestCase may not close
        ):
            is_sent = delivery.deliver(mail.pk)
        mail.refresh_from_db()
        return is_sent, mail.status, pauses

    def test_database_that_is_away_for_a_moment_is_waited_for(self):
        assert self.deliver(*[OperationalError("gone")] * 2) == (True, "sent", [0.1, 1])
        assert self.deliver(*[OperationalError("gone")] * 5) == (True, "sent", [0.1, 1, 2, 5, 10])
        assert len(sent_mail.outbox) == 2

    def test_database_that_stays_away_or_refuses_is_not(self):
        assert self.deliver(*[OperationalError("gone")] * 6) == (False, "queued", [0.1, 1, 2, 5, 10])
        assert self.deliver(DataError("odd")) == (False, "queued", [])


class SweepTests(TestCase):
    def test_the_clock_finds_the_task_that_sweeps(self):
        (name,) = [name for name in settings.SWEEPS if name.startswith("mail.")]
        make_mail()

        celery_app.tasks[name]()

        assert len(sent_mail.outbox) == 1

    def test_mail_of_a_killed_process_is_sent_once(self):
        make_mail(status="sending", attempts=1, lease_until=past(seconds=1))

        assert delivery.sweep() == 1
        assert delivery.sweep() == 0

        assert len(sent_mail.outbox) == 1

    def test_mail_that_is_being_sent_is_left_alone(self):
        make_mail(status="sending", attempts=1, lease_until=timezone.now() + timedelta(minutes=1))

        assert delivery.sweep() == 0

    def test_mail_that_was_never_published_is_sent(self):
        make_mail()

        assert delivery.sweep() == 1

    def test_mail_that_kills_every_sender_fails_in_the_end(self):
        mail = make_mail(status="sending", attempts=MAX_ATTEMPTS, lease_until=past(seconds=1))

        assert delivery.sweep() == 0

        mail.refresh_from_db()
        assert mail.status == "failed"

    def test_poison_does_not_hold_up_the_others(self):
        attachments.register("poison", mock.Mock(side_effect=MemoryError))
        make_mail(attachment="poison:1", available_at=past(hours=1))
        for _ in range(9):
            make_mail()

        assert delivery.sweep() == 9

    def test_sweep_asks_a_mail_server_that_is_away_once(self):
        first, second = make_mail(available_at=past(hours=2)), make_mail(available_at=past(hours=1))

        with mock.patch(OPEN, side_effect=ConnectionRefusedError("refused")) as opened:
            assert delivery.sweep() == 0

        assert opened.call_count == 1
        first.refresh_from_db()
        assert (first.status, first.attempts, first.error) == ("queued", 0, "ConnectionRefusedError: refused")
        second.refresh_from_db()
        assert (second.attempts, second.error) == (0, "")

    def test_mail_that_cannot_even_be_looked_at_holds_up_no_other(self):
        make_mail(available_at=past(hours=1))
        make_mail()
        looks = {"wraps": delivery._claim, "side_effect": [ZeroDivisionError, mock.DEFAULT]}

        with mock.patch.object(delivery, "_claim", **looks), self.assertLogs("mail.delivery", "ERROR"):
            assert delivery.sweep() == 1

    def test_sweep_begins_no_mail_after_forty_five_seconds(self):
        for _ in range(3):
            make_mail()
        clock = iter([100, 145, 145.1])

        with mock.patch.object(delivery, "time", SimpleNamespace(monotonic=lambda: next(clock))):
            assert delivery.sweep() == 2


class LastingTests(SimpleTestCase):
    def test_only_a_refusal_of_this_mail_is_lasting(self):
        lasting = [
            refused(500),
            refused(550),
            smtplib.SMTPDataError(500, b"no"),
            smtplib.SMTPDataError(554, b"spam"),
            smtplib.SMTPSenderRefused(550, b"", "a@x.test"),
        ]
        passing = [
            refused(450),
            refused(499),
            smtplib.SMTPDataError(499, b"odd"),
            smtplib.SMTPDataError(451, b"later"),
            smtplib.SMTPAuthenticationError(535, b"password"),
            smtplib.SMTPConnectError(554, b"busy"),
            smtplib.SMTPServerDisconnected("gone"),
            smtplib.SMTPRecipientsRefused({"a@x.test": (450, b""), "b@x.test": (550, b"")}),
            ConnectionRefusedError(),
            TimeoutError(),
            KeyError("attachment"),
        ]

        assert all(map(delivery.is_lasting, lasting))
        assert not any(map(delivery.is_lasting, passing))


class RaceTests(TransactionTestCase):
    def setUp(self):
        self.mail = make_mail(available_at=timezone.now() + timedelta(days=1))
        OutgoingMail.objects.update(available_at=past(seconds=1))

    def deliver_at_once(self):
        assert race(lambda _: delivery.deliver(self.mail.pk), MOST) == []

        return len(sent_mail.outbox)

    def test_twenty_senders_send_once(self):
        assert self.deliver_at_once() == 1

    def test_looking_first_and_claiming_then_would_send_twenty(self):
        with (
            mock.patch.object(OutgoingMailQuerySet, "update", look_then_write(Meeting(MOST))),
            mock.patch.object(delivery.transaction, "atomic", no_transaction),
            mock.patch.object(delivery.Lease, "hold"),  # which would stop nineteen of them
        ):
            assert self.deliver_at_once() == MOST


@pytest.mark.parametrize("status", ["sent", "failed"])
@pytest.mark.django_db
def test_finished_mail_is_not_due(status):
    mail = make_mail(status=status)

    assert not delivery.deliver(mail.pk)
