from unittest import mock

from django.test import TestCase
from django.urls import reverse

from blog.tests.factories import make_post
from blog.tests.test_comments import form_data
from mail.models import OutgoingMail


class ShareTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.post = make_post("About oak")
        cls.url = reverse("blog:post_share", args=[cls.post.pk])

    def send(self, **fields):
        return self.client.post(self.url, form_data(**{"to": "dora@example.com", "note": "Read this.", **fields}))

    def test_mail_is_written_with_fixed_subject_and_quoted_note(self):
        response = self.send(note="First line\nSecond line")

        self.assertRedirects(response, self.post.get_absolute_url())
        mail = OutgoingMail.objects.get()
        assert mail.to == "dora@example.com"
        assert mail.subject == "A post from Atelier was recommended to you"
        assert mail.reply_to == ""
        assert "> First line\n> Second line" in mail.text
        assert f"http://127.0.0.1:8000{self.post.get_absolute_url()}" in mail.text

    def test_fifty_anonymous_mails_do_not_leave(self):  # D48
        statuses = [self.send(to=f"victim{number}@example.com").status_code for number in range(50)]

        assert OutgoingMail.objects.count() <= 5
        assert 429 in statuses

    def test_one_recipient_is_not_flooded_from_many_places(self):
        addresses = (f"10.0.0.{number}" for number in range(100))
        visitors = (str(number) for number in range(100))
        with (
            mock.patch("blog.sharing.client_address", side_effect=addresses),
            mock.patch("core.web.ratelimit.visitor", side_effect=visitors),
        ):
            for number in range(10):
                self.send(email=f"sender{number}@example.com")

        assert OutgoingMail.objects.count() == 3

    def test_links_in_strangers_words_are_refused(self):  # D48
        for note in ("go to https://evil.test", "www.evil.test", "buy at evil.com now", "HTTP://evil.test"):
            assert self.send(note=note).status_code == 422
        assert self.send(name="evil.com").status_code == 422
        assert not OutgoingMail.objects.exists()

    def test_newlines_and_lists_are_refused(self):  # D49
        for fields in (
            {"name": "Al\nBcc: x@y.test"},
            {"name": "Al\r\nSubject: x"},
            {"name": "Al\u2028x"},
            {"to": "a@x.test,b@x.test"},
            {"to": "a@x.test\nBcc: b@y.test"},
            {"to": "Name <a@x.test>"},
            {"to": "a@localhost"},
            {"email": "a@x.test%0aBcc:b@y.test@"},
        ):
            assert self.send(**fields).status_code == 422, fields
        assert not OutgoingMail.objects.exists()

    def test_same_share_twice_is_one_mail(self):
        self.send()
        self.send()

        assert OutgoingMail.objects.count() == 1

    def test_trap(self):
        assert self.send(website="x").status_code == 302
        assert not OutgoingMail.objects.exists()

    def test_limits_hold_while_the_store_that_counts_is_away(self):
        with (
            mock.patch("core.web.ratelimit.cache.add", return_value=False),
            mock.patch("core.web.ratelimit.cache.incr", side_effect=ValueError),
        ):
            statuses = [self.send().status_code for _ in range(12)]
        assert statuses[0] == 302
        assert statuses[-1] == 429
        assert OutgoingMail.objects.count() == 1

    def test_form_is_shown(self):
        self.assertContains(self.client.get(self.url), "About oak")
