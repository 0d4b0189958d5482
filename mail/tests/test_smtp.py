"""The outbox against a real SMTP conversation, good and bad."""

from django.test import TestCase

from config.emailurl import email_settings
from mail import delivery
from mail.models import OutgoingMail
from mail.tests.factories import make_mail
from mail.tests.smtp_server import smtp_server


class SmtpTests(TestCase):
    def deliver(self, **answers):
        mail = make_mail(reply_to="alice@example.com")
        with smtp_server(**answers) as server:
            url = f"smtp://127.0.0.1:{server.server_address[1]}"
            with self.settings(**email_settings(url, folder=None), EMAIL_TIMEOUT=1):
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
        for answers in [{"MAIL": "451 later"}, {"RCPT": "450 busy"}, {"DATA": "452 full"}, {"end": "451 later"}]:
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
            with self.settings(**email_settings(url, folder=None)):
                delivery.deliver(mail.pk)

        assert first[0]["Message-ID"] == server.taken[0]["Message-ID"]

    def test_no_server_is_tried_later(self):
        mail = make_mail()

        with self.settings(**email_settings("smtp://127.0.0.1:1", folder=None)):
            delivery.deliver(mail.pk)

        mail.refresh_from_db()
        assert (mail.status, mail.attempts) == ("queued", 1)
