import email
import re
import tempfile
from email import policy
from pathlib import Path

from django.test import TestCase, override_settings

from config.emailurl import mailer
from mail import delivery
from mail.checks import mail_goes_somewhere, mail_is_encrypted
from mail.tests.factories import make_mail


class FileTests(TestCase):
    def test_each_mail_is_a_file_that_a_mail_program_opens(self):
        mails = [make_mail(note="Grüße & <b>mehr</b>"), make_mail(subject="Long " * 40)]

        with (
            tempfile.TemporaryDirectory() as folder,
            self.settings(MAILERS={"default": mailer("", folder=Path(folder, "new", "mails"))}),
        ):
            for mail in mails:
                delivery.deliver(mail.pk)
            files = list(Path(folder, "new", "mails").iterdir())
            read = [email.message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

        names = sorted(re.fullmatch(r"\d{8}-\d{6}-(.+)-[0-9a-f]{6}\.eml", file.name)[1] for file in files)
        assert names == ["a-test-mail-from-atelier", "long-" * 12]
        assert {message["Message-ID"] for message in read} == {mail.message_id for mail in mails}
        assert any("Grüße & <b>mehr</b>" in message.get_body(("plain",)).get_content() for message in read)
        assert all(message.get_body(("html",)) for message in read)


class CheckTests(TestCase):
    def test_production_without_a_mail_server_is_refused(self):
        with override_settings(DEBUG=False, EMAIL_URL=""):
            assert [error.id for error in mail_goes_somewhere(None)] == ["mail.E001"]

    def test_development_and_a_configured_server_are_fine(self):
        for values in [{"DEBUG": True, "EMAIL_URL": ""}, {"DEBUG": False, "EMAIL_URL": "smtp://mail.example"}]:
            with override_settings(**values):
                assert mail_goes_somewhere(None) == []

    def test_mail_leaves_for_the_internet_by_tls_only_unless_told(self):
        def refused(url, **values):
            with override_settings(DEBUG=False, EMAIL_URL=url, **values):
                return bool(mail_is_encrypted(None))

        assert [refused(f"smtp://{host}:25") for host in ("mail.example", "user:pass@mail.example", "8.8.8.8")] == [
            True
        ] * 3
        near = ("127.0.0.1", "localhost", "relay", "10.0.0.3", "[fd00::1]", "mail.office.internal")
        assert [refused(f"smtp://{host}") for host in near] == [False] * len(near)
        assert [refused(f"{scheme}://mail.example") for scheme in ("smtp+tls", "smtps")] == [False, False]
        assert not refused("smtp://mail.example", ALLOW_UNENCRYPTED=["mail"])
