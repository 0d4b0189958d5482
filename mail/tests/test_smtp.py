"""The outbox against a real SMTP conversation, good and bad."""

import socket
from datetime import timedelta

from django.test import TestCase
from django.utils import timezone

from config.emailurl import mailer
from mail import delivery
from mail.models import MAX_ATTEMPTS, OutgoingMail
from mail.tests.factories import make_mail
from mail.tests.smtp_server import smtp_server


class SmtpTests(TestCase):
    def deliver(self, **answers):
        mail = make_mail(reply_to="alice@example.com")
        with smtp_server(**answers) as server:
            url = f"smtp://127.0.0.1:{server.server_address[1]}"
            with self.settings(MAILERS={"default": mailer(url, folder=None, timeout=1)}):
                delivery.deliver(mail.pk)
        mail.refresh_from_db()
        return mail, server.taken

    def test_mail_arrives_as_it_was_written(self):
        mail, (taken,) = self.deliver()

        assert mail.status == "sent"
        assert (taken["To"], taken["Reply-To"], taken["Subject"]) == (mail.to, "alice@example.com", mail.subject)
        assert taken["Message-ID"] == mail.message_id
        assert [part.get_content_type() for part in taken.get_payload()] == ["text/plain", "text/html"]

    def test_server_that_says_later_is_tried_later(self):
        for answers in [
            {"MAIL": "420 slow"},
            {"MAIL": "451 later"},
            {"RCPT": "450 busy"},
            {"DATA": "452 full"},
            {"end": "451 later"},
        ]:
            with self.subTest(answers=answers):
                mail, _ = self.deliver(**answers)
                assert (mail.status, mail.attempts) == ("queued", 1)

    def test_server_that_says_no_is_believed(self):
        for answers in [{"MAIL": "550 no"}, {"RCPT": "550 nobody"}, {"DATA": "554 no"}, {"end": "554 spam"}]:
            with self.subTest(answers=answers):
                mail, _ = self.deliver(**answers)
                assert (mail.status, mail.attempts) == ("failed", 1)

    def test_server_that_hangs_up_is_tried_again_with_the_same_message_id(self):
        mail, first = self.deliver(end="")
        assert (mail.status, mail.attempts) == ("queued", 1)

        with smtp_server() as server:
            OutgoingMail.objects.update(available_at=mail.created_at)
            url = f"smtp://127.0.0.1:{server.server_address[1]}"
            with self.settings(MAILERS={"default": mailer(url, folder=None)}):
                delivery.deliver(mail.pk)

        assert first[0]["Message-ID"] == server.taken[0]["Message-ID"]

    def assert_waits(self, url):
        """However often nobody's mail is taken, this one is not given up, and is tried again within seconds."""
        mail = make_mail()
        with self.settings(MAILERS={"default": mailer(url, folder=None, timeout=1)}):
            for _ in range(MAX_ATTEMPTS + 1):
                delivery.deliver(mail.pk)
                mail.refresh_from_db()
                assert (mail.status, mail.attempts) == ("queued", 0), mail.error
                assert mail.available_at < timezone.now() + timedelta(seconds=30)
                OutgoingMail.objects.update(available_at=mail.created_at)

    def test_server_that_refuses_the_connection_is_waited_for(self):
        self.assert_waits("smtp://127.0.0.1:1")

    def test_server_that_says_nothing_is_waited_for(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.assert_waits(f"smtp://127.0.0.1:{silent.getsockname()[1]}")

    def test_server_that_knows_us_not_is_waited_for(self):
        for scheme, answers in (
            ("smtp://", {"EHLO": "421 closing", "HELO": "421 closing"}),
            ("smtp://", {"EHLO": "554 not you", "HELO": "554 not you"}),
            ("smtp://", {"MAIL": "421 too many connections"}),
            ("smtp+tls://", {"EHLO": "250-test\r\n250 STARTTLS", "STARTTLS": "220 go on"}),  # and then no TLS
            ("smtp+tls://", {"EHLO": "250-test\r\n250 STARTTLS", "STARTTLS": "454 no"}),
            ("smtp://shop:old-password@", {"EHLO": "250-test\r\n250 AUTH PLAIN", "AUTH": "535 wrong"}),
        ):
            with self.subTest(answers), smtp_server(**answers) as server:
                self.assert_waits(f"{scheme}127.0.0.1:{server.server_address[1]}")
