import smtplib
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.conf import settings
from django.core import mail as sent_mail
from django.db import IntegrityError, connection, transaction
from django.template import TemplateDoesNotExist, engines
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings
from django.utils import timezone

from archive.tables import lines_of
from core.jobs import background
from mail import outbox
from mail.delivery import sweep
from mail.models import MAX_ATTEMPTS, OutgoingMail
from mail.tests.factories import make_mail


class EnqueueTests(TestCase):
    def test_mail_is_sent_after_the_transaction(self):
        with self.captureOnCommitCallbacks(execute=True):
            mail = make_mail(to="bob@example.com")

        mail.refresh_from_db()
        assert mail.status == "sent"
        assert sent_mail.outbox[0].to == ["bob@example.com"]
        assert sent_mail.outbox[0].extra_headers["Message-ID"] == mail.message_id

    def test_same_dedup_key_is_one_mail(self):
        with self.captureOnCommitCallbacks(execute=True):
            first = make_mail(dedup_key="welcome:1")
            second = make_mail(dedup_key="welcome:1", to="charlie@example.com")

        assert first == second
        assert len(sent_mail.outbox) == 1

    def test_key_of_any_length_is_one_mail(self):
        first, second = make_mail(dedup_key="proof:" + "x" * 500), make_mail(dedup_key="proof:" + "x" * 500)

        assert first == second
        assert first != make_mail(dedup_key="proof:" + "x" * 501)

    def test_key_stays_readable_up_to_a_length_that_leaves_room_for_copies(self):
        assert make_mail(dedup_key="x" * 180).dedup_key == "x" * 180
        assert make_mail(dedup_key="x" * 181).dedup_key != "x" * 181

    def test_key_of_a_secret_mail_does_not_give_the_secret_away(self):
        assert "s3cret" not in make_mail(dedup_key="reset:s3cret", secret=True).dedup_key

    def test_message_id_is_fixed_by_the_key_and_names_our_host(self):
        with self.settings(SITE_URL="https://shop.example:8443"):
            mail = make_mail(dedup_key="welcome:1")

        assert mail.message_id.startswith("<outbox-")
        assert mail.message_id.endswith("@shop.example>")

    def test_text_is_not_escaped_and_html_is(self):
        mail = make_mail(note="O'Neil & <b>Co</b>")

        assert "O'Neil & <b>Co</b>" in mail.text
        assert "O&#x27;Neil &amp; &lt;b&gt;Co&lt;/b&gt;" in mail.html

    def test_html_is_optional_but_not_what_it_extends(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in [("subject.txt", "Hello"), ("body.txt", "Hello Bob")]:
                Path(folder, f"plain.{name}").write_text(text)
            templates = [{**settings.TEMPLATES[0], "DIRS": [folder]}]
            with self.settings(TEMPLATES=templates), transaction.atomic():
                mail = outbox.enqueue(kind="test", dedup_key="1", to="bob@example.com", template="plain", context={})
                Path(folder, "plain.body.html").write_text('{% extends "missing.html" %}')
                engines["django"].engine.template_loaders[0].reset()
                with pytest.raises(TemplateDoesNotExist, match=r"missing\.html"):
                    outbox.enqueue(kind="test", dedup_key="2", to="bob@example.com", template="plain", context={})

        assert (mail.subject, mail.text, mail.html) == ("Hello", "Hello Bob\n", "")

    def test_newline_in_the_subject_cannot_add_a_header(self):
        with self.settings(SITE_NAME="Shop\r\nBcc: all@example.com\x00"):
            mail = make_mail()

        assert mail.subject == "A test mail from Shop Bcc: all@example.com"

    def test_subject_is_cut_to_what_its_column_holds(self):
        with self.settings(SITE_NAME="x" * 300):
            assert make_mail().subject == f"A test mail from {'x' * 183}"

    def test_name_before_the_address_is_dropped(self):
        assert make_mail(to="Bob's Shop <bob@example.com>").to == "bob@example.com"

    def test_anything_but_one_address_is_refused(self):
        for text in [
            "",
            "bob",
            "a@x.test, b@y.test",
            "a@x.test\r\nBcc: b@y.test",
            "a@x.test%0aBcc:b@y.test b@y.test",
            "Bob <a@x.test>, b@y.test",
            "<a@x.test> <b@y.test>",
        ]:
            with self.subTest(text=text), pytest.raises(outbox.NotAnAddress):
                make_mail(to=text)

    def test_address_has_254_characters_at_most(self):
        assert make_mail(to=f"{'a' * 247}@x.test").to.endswith("aa@x.test")

        with pytest.raises(outbox.NotAnAddress, match=r"^'a{40}'\.\.\. is too long"):
            make_mail(to=f"{'a' * 248}@x.test")

    def test_refused_reply_address_is_no_mail(self):
        with pytest.raises(outbox.NotAnAddress):
            make_mail(reply_to="a@x.test\nBcc: b@y.test")


class ForgottenTransactionTests(TestCase):
    """In a TestCase, which runs every test inside a transaction that no view has opened."""

    def test_mail_without_a_transaction_of_its_cause_fails_in_a_test_too(self):
        with pytest.raises(transaction.TransactionManagementError):
            outbox.enqueue(kind="test", dedup_key="1", to="bob@example.com", template="mail/email/test", context={})

    def test_background_work_without_a_transaction_fails_in_a_test_too(self):
        with pytest.raises(transaction.TransactionManagementError):
            background.delay_on_commit("mail.tasks.deliver_mail", 1)


class TransactionTests(TransactionTestCase):
    def test_enqueue_outside_a_transaction_is_refused(self):
        with pytest.raises(transaction.TransactionManagementError):
            outbox.enqueue(kind="test", dedup_key="1", to="bob@example.com", template="mail/email/test", context={})

    def test_mail_dies_with_its_cause(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_mail()
            raise IntegrityError

        assert not OutgoingMail.objects.exists()
        assert not sent_mail.outbox

    def test_mail_lives_with_its_cause(self):
        make_mail()

        assert len(sent_mail.outbox) == 1


class SendAgainTests(TestCase):
    def test_copy_is_a_message_of_its_own(self):
        mail = make_mail(status="sent")

        with self.captureOnCommitCallbacks(execute=True):
            copy = outbox.send_again(mail)
            second_copy = outbox.send_again(copy)

        assert len({mail.message_id, copy.message_id, second_copy.message_id}) == 3
        assert [copy.dedup_key, second_copy.dedup_key] == [f"{mail.dedup_key}#2", f"{mail.dedup_key}#3"]
        assert len(sent_mail.outbox) == 2

    def test_a_waiting_secret_mail_has_no_link_in_the_table_or_a_backup(self):
        mail = make_mail(secret=True, note="https://example.com/reset/abc")
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM mail_outgoingmail")
            row = repr(cursor.fetchall())
        archived = b"".join(lines_of(OutgoingMail, "default", progress=lambda _rows: None))

        assert mail.kind in row
        assert "example.com/reset" not in row
        assert b"example.com/reset" not in archived
        assert "https://example.com/reset/abc" in OutgoingMail.objects.get().opened()[0]

    @override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[])
    def test_a_secret_mail_whose_key_is_gone_is_not_sent_empty(self):
        with override_settings(SECRET_KEY="old"):
            mail = make_mail(secret=True)

        with self.assertLogs("core.stores.sealed", "ERROR"):
            assert not outbox.deliver(mail.pk)

        mail.refresh_from_db()
        assert "SECRET_KEY" in mail.error
        assert not sent_mail.outbox

    def test_a_secret_mail_of_the_former_release_is_sent(self):
        mail = make_mail(secret=True)
        text, _html = mail.opened()
        OutgoingMail.objects.update(text=text, sealed=None)

        assert outbox.deliver(mail.pk)
        assert text.strip() in sent_mail.outbox[0].body

    def test_a_secret_mail_that_no_process_survived_is_wiped(self):
        mail = make_mail(secret=True)
        lost = {"status": "sending", "attempts": MAX_ATTEMPTS, "lease_until": timezone.now() - timedelta(minutes=1)}
        OutgoingMail.objects.update(**lost)

        sweep()

        mail.refresh_from_db()
        assert (mail.status, mail.text, mail.html, mail.sealed) == ("failed", "", "", None)

    def test_secret_mail_is_wiped_once_sent_and_never_copied(self):
        with self.captureOnCommitCallbacks(execute=True):
            mail = make_mail(secret=True, note="https://example.com/reset/abc")
        mail.refresh_from_db()

        assert "https://example.com/reset/abc" in sent_mail.outbox[0].body
        assert (mail.text, mail.html, mail.sealed) == ("", "", None)
        with pytest.raises(ValueError, match="secret"):
            outbox.send_again(mail)

    def test_secret_mail_that_failed_is_wiped_too(self):
        mail = make_mail(secret=True, note="https://example.com/reset/abc")

        with mock.patch(
            "django.core.mail.backends.locmem.EmailBackend.send_messages", side_effect=smtplib.SMTPDataError(554, b"no")
        ):
            outbox.deliver(mail.pk)

        mail.refresh_from_db()
        assert (mail.status, mail.text, mail.html, mail.sealed) == ("failed", "", "", None)
        assert outbox.retry(OutgoingMail.objects.all()) == 0


class AddressTests(SimpleTestCase):
    def test_full_addresses_come_from_the_setting(self):
        from core.web.links import site_url

        with self.settings(SITE_URL="https://shop.example"):
            assert site_url("/blog/") == "https://shop.example/blog/"
