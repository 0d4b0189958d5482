from io import StringIO

import pytest
from django.core import mail as sent_mail
from django.core.management import CommandError, call_command
from django.test import TestCase

from config.emailurl import mailer


class SendTestMailTests(TestCase):
    def test_mail_is_sent_and_named(self):
        out = StringIO()

        call_command("send_test_mail", "bob@example.com", "--note=hello", stdout=out)

        assert "hello" in sent_mail.outbox[0].body
        assert out.getvalue().strip() == f"sent: {sent_mail.outbox[0].extra_headers['Message-ID']}"

    def test_trouble_is_told(self):
        with (
            self.settings(MAILERS={"default": mailer("smtp://127.0.0.1:1", folder=None)}),
            pytest.raises(CommandError, match="ConnectionRefusedError"),
        ):
            call_command("send_test_mail", "bob@example.com", stdout=StringIO())
        with pytest.raises(CommandError, match="not one e-mail address"):
            call_command("send_test_mail", "bob", stdout=StringIO())
