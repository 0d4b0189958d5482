import re
from datetime import timedelta
from unittest.mock import patch

import time_machine
from django.contrib.auth import get_user
from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from account.models import Session, User
from account.tests.factories import PASSWORD, make_user
from mail.models import OutgoingMail

HOSTILE_NEXT = [
    "//evil.test", "///evil.test", "https://evil.test", "https:evil.test", "https:///evil.test", "/\\evil.test",
    "\\/evil.test", "\\\\evil.test", " //evil.test", "\t//evil.test", "/\t/evil.test", "//evil.test\\@testserver",
    "https://testserver@evil.test", "https://testserver.evil.test", "//testserver:80@evil.test",
    "javascript:alert(1)", "data:text/html,x",
]  # fmt: skip


class LoginTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("Alice", email="alice@example.com")

    def log_in(self, username: str, password: str = PASSWORD, **data):
        return self.client.post(reverse("login"), {"username": username, "password": password, **data})

    def test_username_and_address_work_in_any_case(self):  # D7
        for name in ["Alice", "alice", "ALICE", "alice@example.com", "ALICE@EXAMPLE.COM", " alice@Example.com "]:
            with self.subTest(name):
                self.log_in(name)
                assert get_user(self.client) == self.alice
                self.client.logout()

    def test_wrong_login_is_422_with_the_name_still_there(self):
        response = self.log_in("alice", "wrong")

        self.assertContains(response, 'value="alice"', status_code=422)

    def test_member_without_that_name_is_answered_alike(self):
        wrong = self.log_in("alice", "wrong").content.replace(b"alice", b"x")
        unknown = self.log_in("nobody", "wrong").content.replace(b"nobody", b"x")

        assert wrong == unknown

    def test_deactivated_member_is_out_at_the_next_request(self):  # D5
        for name in ["alice", "alice@example.com"]:
            with self.subTest(name):
                User.objects.update(is_active=True)
                self.log_in(name)
                User.objects.update(is_active=False)

                assert self.client.get(reverse("account:dashboard")).status_code == 302
                assert self.log_in(name).status_code == 422

    def test_a_session_ended_by_switching_off_stays_ended_when_switched_on_again(self):
        self.log_in("alice")

        self.alice.switch(on=False)
        assert not Session.objects.exists()
        self.alice.switch(on=True)

        assert self.client.get(reverse("account:dashboard")).status_code == 302
        assert self.log_in("alice").status_code == 302

    def test_every_kind_of_login_costs_one_hash(self):  # D14
        for name in ["alice", "alice@example.com", "nobody", "nobody@example.com"]:
            with self.subTest(name), patch("django.contrib.auth.hashers.MD5PasswordHasher.encode") as encode:
                encode.return_value = "md5$x$y"
                self.log_in(name, "wrong")
                assert encode.call_count == 1

    def test_sixth_wrong_password_waits_whatever_the_spelling(self):  # D13
        for name in ["alice", "Alice", " alice", "ALICE", "alice"]:
            assert self.log_in(name, "wrong").status_code == 422

        response = self.log_in("alice")

        self.assertContains(response, "looked at in 12 minutes", status_code=429)
        assert 600 < int(response["Retry-After"]) <= 720
        assert not get_user(self.client).is_authenticated

    def test_next_leads_to_our_own_pages_only(self):  # D16
        for target in HOSTILE_NEXT:
            with self.subTest(target):
                response = self.log_in("alice", next=target)
                assert response.url == reverse("account:dashboard")
                self.client.logout()
        assert self.log_in("alice", next="/account/edit/").url == "/account/edit/"

    def test_login_changes_the_session_key(self):
        self.client.session.save()
        session = self.client.session
        session["cart"] = {}
        session.save()
        before = session.session_key

        self.log_in("alice")

        assert self.client.session.session_key != before

    def test_logout_is_by_post_only(self):
        self.log_in("alice")

        assert self.client.get(reverse("logout")).status_code == 405
        response = self.client.post(reverse("logout"), follow=True)
        self.assertContains(response, "You are logged out.")
        assert not get_user(self.client).is_authenticated

    def test_google_button_is_hidden_without_a_key(self):
        with override_settings(SOCIAL_AUTH_GOOGLE_OAUTH2_KEY=""):
            self.assertNotContains(self.client.get(reverse("login")), "Google")
        with override_settings(SOCIAL_AUTH_GOOGLE_OAUTH2_KEY="key"):
            self.assertContains(self.client.get(reverse("login")), "Google")


class PasswordTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice", email="alice@example.com", proven=False)

    def reset_path(self) -> str:
        return re.search(r"http://[^/]+(/account/password-reset/\S+)", OutgoingMail.objects.latest("id").opened()[0])[1]

    def ask(self, email: str = "alice@example.com", **extra):
        return self.client.post(reverse("password_reset"), {"email": email}, **extra)

    def test_known_and_unknown_addresses_get_the_same_answer(self):
        known, unknown = self.ask(), self.ask("nobody@example.com")

        assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
        assert [mail.to for mail in OutgoingMail.objects.all()] == ["alice@example.com"]

    @override_settings(ALLOWED_HOSTS=["*"], SITE_URL="https://shop.example")
    def test_link_leads_to_the_configured_site_whatever_host_was_asked(self):  # D15
        for host in ["evil.test", "testserver:99999", "shop.example:1"]:
            with self.subTest(host):
                self.ask(headers={"Host": host}, HTTP_HOST=host, HTTP_X_FORWARDED_HOST="evil.test")
                text = OutgoingMail.objects.latest("id").opened()[0]
                assert "https://shop.example/account/password-reset/" in text
                assert "evil" not in text

    def test_fourth_reset_in_an_hour_mails_nothing_and_says_nothing(self):  # D13
        answers = set()
        with time_machine.travel(timezone.now(), tick=False) as clock:
            for _ in range(6):
                clock.shift(1)  # links of the same second are the same link
                answers.add(self.ask("ALICE@example.com").url)

        assert OutgoingMail.objects.count() == 3
        assert answers == {reverse("password_reset_done")}

    def test_stranger_does_not_use_up_the_owners_way_back(self):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            for _ in range(9):
                clock.shift(1)
                self.ask(REMOTE_ADDR="10.6.6.6")
            assert OutgoingMail.objects.count() == 3
            clock.shift(1)
            self.ask(REMOTE_ADDR="10.0.0.1")

        assert OutgoingMail.objects.count() == 4

    @override_settings(REDIS_URL="")  # whose clock no test can turn
    def test_one_network_gets_five_of_the_twenty_mails_that_a_mailbox_gets_in_a_day(self):
        start = timezone.now().replace(hour=0, minute=10)
        with time_machine.travel(start, tick=False) as clock:
            for hour in range(6):
                clock.move_to(start + timedelta(hours=hour))
                for second in range(3):
                    clock.shift(second + 1)
                    self.ask(REMOTE_ADDR="10.6.6.6")
            assert OutgoingMail.objects.count() == 5
            for number in range(30):
                clock.shift(1)
                self.ask(REMOTE_ADDR=f"10.6.7.{number}")

        assert OutgoingMail.objects.count() == 20

    def test_six_requests_at_once_mail_once(self):
        with time_machine.travel(timezone.now(), tick=False):
            for number in range(6):
                self.ask(REMOTE_ADDR=f"10.0.0.{number}")

        assert OutgoingMail.objects.count() == 1

    def test_link_of_a_member_switched_off_since_sets_no_password(self):
        self.ask()
        set_path = self.client.get(self.reset_path(), follow=True).redirect_chain[-1][0]
        self.alice.switch(on=False)

        page = self.client.get(self.reset_path(), follow=True)
        self.client.post(set_path, {"new_password1": "another-passphrase", "new_password2": "another-passphrase"})

        self.assertContains(page, "used already")
        self.alice.refresh_from_db()
        assert self.alice.check_password(PASSWORD)
        assert not self.alice.is_proven

    def test_link_works_once_and_proves_the_address(self):
        self.ask()
        path = self.reset_path()
        form = self.client.get(path, follow=True)
        set_path = form.redirect_chain[-1][0]

        assert self.client.post(set_path, {"new_password1": "1", "new_password2": "1"}).status_code == 422
        self.client.post(set_path, {"new_password1": "another-passphrase", "new_password2": "another-passphrase"})

        self.alice.refresh_from_db()
        assert self.alice.check_password("another-passphrase")
        assert self.alice.is_proven
        self.assertContains(self.client.get(path, follow=True), "used already")

    def test_change_asks_for_the_old_password_and_ends_other_sessions(self):
        other = self.client_class()
        other.force_login(self.alice)
        self.client.force_login(self.alice)
        data = {"new_password1": "another-passphrase", "new_password2": "another-passphrase"}

        assert self.client.post(reverse("password_change"), data | {"old_password": "x"}).status_code == 422
        self.client.post(reverse("password_change"), data | {"old_password": PASSWORD})

        assert get_user(self.client).is_authenticated
        assert not get_user(other).is_authenticated
