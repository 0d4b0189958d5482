from django.core import mail as sent_mail
from django.test import TestCase
from django.urls import reverse

from account.tests.factories import make_user
from mail.models import OutgoingMail
from mail.tests.factories import make_mail

LIST = reverse("admin:mail_outgoingmail_changelist")


class AdminTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.staff = make_user("staff", staff=True)

    def setUp(self):
        self.client.force_login(self.staff)

    def run_action(self, name, *mails):
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post(
                LIST,
                {"action": name, "_selected_action": [mail.pk for mail in mails]},
                headers={"Sec-Fetch-Site": "same-origin"},
                follow=True,
            )

    def test_list_and_mail_are_shown(self):
        mail = make_mail(note="a note to bob", status="failed", error="550 nobody")

        assert "bob@example.com" in self.client.get(LIST, {"q": "bob"}).text
        page = self.client.get(reverse("admin:mail_outgoingmail_change", args=[mail.pk])).text
        assert "a note to bob" in page
        assert "550 nobody" in page
        assert 'name="_save"' not in page

    def test_secret_mail_is_not_readable(self):
        mail = make_mail(secret=True, note="https://example.com/reset/abc")

        page = self.client.get(reverse("admin:mail_outgoingmail_change", args=[mail.pk]))

        assert page.status_code == 200
        assert "reset/abc" not in page.text

    def test_retry_sends_failed_mails_only(self):
        failed, sent = make_mail(status="failed", attempts=5), make_mail(status="sent")

        page = self.run_action("retry", failed, sent)

        assert "1 mail will be tried again." in page.text
        assert len(sent_mail.outbox) == 1
        failed.refresh_from_db()
        assert (failed.status, failed.attempts) == ("sent", 1)

    def test_send_again_sends_a_new_mail(self):
        sent, queued = make_mail(status="sent"), make_mail()

        page = self.run_action("send_again", sent, queued)

        assert "1 mail will be sent again." in page.text
        assert "Left out" in page.text
        assert [mail.extra_headers["Message-ID"] for mail in sent_mail.outbox] == [
            OutgoingMail.objects.get(dedup_key=f"{sent.dedup_key}#2").message_id
        ]

    def test_history_can_neither_be_added_nor_deleted(self):
        mail = make_mail()

        assert self.client.get(reverse("admin:mail_outgoingmail_add")).status_code == 403
        assert self.client.post(reverse("admin:mail_outgoingmail_delete", args=[mail.pk])).status_code == 403
