"""Google login and linking, over HTTP against a stand-in for Google; nothing of ours or of social-auth is replaced."""

from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import requests
import time_machine
from django.contrib.auth import get_user
from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone
from social_django.models import UserSocialAuth

from account.models import User
from account.pipeline import clean_username
from account.tests.factories import PASSWORD, make_user
from account.tests.google_server import GoogleServer
from actions.models import Action
from mail.addresses import is_proven
from mail.models import OutgoingMail

PROFILE = {"sub": "1234567890", "email": "alice@example.com", "email_verified": True, "given_name": "Alice"}
DOWN = [requests.ConnectionError("down"), requests.Timeout()]


@override_settings(SOCIAL_AUTH_GOOGLE_OAUTH2_KEY="key", SOCIAL_AUTH_GOOGLE_OAUTH2_SECRET="secret")
class GoogleTestCase(TestCase):
    def setUp(self):
        self.google = GoogleServer(("key", "secret"))
        self.addCleanup(self.google.close)

    def begin(self, **data):
        return self.client.post(reverse("social:begin", args=["google-oauth2"]), data)

    def come_back(self, profile: Any = PROFILE, *, begun=None, **changes):
        """Go to Google, agree there and come back, with `changes` made to what Google sends back."""
        self.google.profile = profile
        parts = urlsplit(self.google.consent((begun or self.begin()).url))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
        return self.client.get(urlunsplit(("", "", parts.path, urlencode(query), "")))


class GoogleTests(GoogleTestCase):
    def refused(self, profile=PROFILE, **query) -> None:
        response = self.come_back(profile, **query)
        assert response.status_code == 302
        assert response.url.startswith(reverse("login"))
        assert not get_user(self.client).is_authenticated
        assert not UserSocialAuth.objects.exists()

    def test_login_begins_by_post_with_state_and_proof_key(self):
        response = self.begin(next="https://evil.test/")

        query = parse_qs(urlsplit(response.url).query)
        assert response.url.startswith("https://accounts.google.com/")
        assert query["state"]
        assert query["code_challenge_method"][0].upper() == "S256"
        assert self.client.get(reverse("social:begin", args=["google-oauth2"])).status_code == 405
        assert "evil" not in self.client.session.get("next", "")

    def test_new_person_becomes_a_proven_member(self):
        response = self.come_back(PROFILE)

        user = User.objects.get()
        self.assertRedirects(response, reverse("account:dashboard"))
        assert get_user(self.client) == user
        assert (user.username, user.email, user.first_name, user.is_proven) == (
            "alice",
            "alice@example.com",
            "Alice",
            True,
        )
        assert is_proven("alice@example.com")
        assert not user.has_usable_password()
        assert UserSocialAuth.objects.get().uid == PROFILE["sub"]
        assert Action.objects.get().verb == Action.Verb.REGISTERED

    def test_second_visit_is_the_same_member_even_with_another_address(self):
        self.come_back(PROFILE)
        self.client.logout()

        self.come_back({**PROFILE, "email": "new@example.com"})

        assert User.objects.count() == 1
        assert get_user(self.client).email == "alice@example.com"

    def test_proven_member_with_the_address_is_joined(self):
        alice = make_user("alicia", email="alice@example.com")

        self.come_back({**PROFILE, "email": "ALICE@example.com"})

        assert get_user(self.client) == alice

    def test_account_that_nobody_proved_is_not_taken_over(self):
        """Somebody may have registered the victim's address and waits with a password of their own."""
        make_user("squatter", email="alice@example.com", proven=False)

        self.refused()
        self.assertContains(self.client.get(reverse("login")), "nobody has confirmed it")

    def test_deactivated_member_stays_out(self):
        make_user("alice", email="alice@example.com", is_active=False)

        self.refused()

    def test_member_deactivated_after_google_login_is_out_at_once(self):
        self.come_back(PROFILE)
        User.objects.update(is_active=False)

        assert self.client.get(reverse("account:dashboard")).status_code == 302

    def test_address_that_google_has_not_verified_is_refused(self):
        for verified in [False, None, "true", 1, "missing"]:
            profile = {**PROFILE, "email_verified": verified}
            if verified == "missing":
                del profile["email_verified"]
            with self.subTest(verified):
                self.refused(profile)
        assert not User.objects.exists()

    def test_answer_without_a_subject_is_refused(self):
        for subject in [None, "", 7]:
            self.refused({**PROFILE, "sub": subject})
        self.refused({name: value for name, value in PROFILE.items() if name != "sub"})

    def test_missing_address_is_refused(self):
        self.refused({**PROFILE, "email": ""})

    def test_other_sub_with_the_same_address_is_no_second_account(self):
        self.come_back(PROFILE)
        self.client.logout()

        self.come_back({**PROFILE, "sub": "999"})

        assert User.objects.count() == 1

    def test_wrong_or_replayed_state_is_refused(self):
        self.refused(state="forged")
        self.refused(state="")

    def test_denied_and_broken_answers_end_on_a_clean_page(self):
        self.refused(error="access_denied")
        for broken in [None, [], "text"]:
            with self.subTest(broken):
                self.refused(broken)
        for error in DOWN:
            with self.subTest(error), patch("social_core.backends.base.requests.request", side_effect=error):
                self.refused()

    def test_code_of_another_browser_opens_nothing(self):
        """The proof key binds the code to the browser that began; the server refuses it to any other."""
        self.google.profile = PROFILE
        stolen = parse_qs(urlsplit(self.google.consent(self.begin().url)).query)["code"][0]
        self.client = self.client_class()

        self.refused(code=stolen)

    def test_names_that_do_not_fit_our_rules_are_made_to(self):
        for name in ["admin", "", "日本語", "a+b", "..", "x" * 100]:
            made = clean_username(name)
            User._meta.get_field("username").run_validators(made)
            assert made.lower() != "admin"


class LinkTests(GoogleTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.bob = make_user("bob", email="bob@example.com")

    def setUp(self):
        super().setUp()
        self.client.force_login(self.bob, backend="account.backends.UsernameOrEmailBackend")
        self.url = reverse("account:google")

    def post(self, password: str = PASSWORD):
        return self.client.post(self.url, {"password": password, "next": self.url})

    def link(self, profile: Any = PROFILE):
        return self.come_back(profile, begun=self.post())

    def test_link_with_password_and_log_in_by_it(self):
        response = self.link()

        self.assertRedirects(response, self.url)
        self.assertContains(self.client.get(self.url), "Linked since")
        assert UserSocialAuth.objects.get().user == self.bob
        assert OutgoingMail.objects.get().to == "bob@example.com"
        self.client.logout()
        self.come_back()
        assert get_user(self.client) == self.bob
        assert User.objects.count() == 1

    def test_wrong_password_links_nothing(self):
        assert self.post("wrong").status_code == 422
        assert "google" not in self.client.session.get("google_linking", "")

    def test_open_browser_alone_links_nothing(self):
        """social-auth's own address would link whoever is logged in, without a question."""
        response = self.come_back()

        assert response.url == self.url
        self.assertContains(self.client.get(self.url), "confirm with your password")
        assert not UserSocialAuth.objects.exists()

    def test_permission_is_good_for_once_and_for_ten_minutes(self):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            begun = self.post()
            clock.shift(601)
            self.come_back(begun=begun)
        assert not UserSocialAuth.objects.exists()

        self.link()
        self.come_back({**PROFILE, "sub": "another"})

        assert UserSocialAuth.objects.count() == 1

    def test_unproven_account_cannot_link(self):
        """Whoever registers with another's address would keep a way in after its owner has set a new password."""
        User.objects.update(email_proven_at=None)

        assert self.post().status_code == 422
        self.assertContains(self.client.get(self.url), "Please confirm bob@example.com first")
        self.come_back()
        assert not UserSocialAuth.objects.exists()

    def test_google_account_of_another_member_stays_theirs(self):
        alice = make_user("alice", email="alice@example.com")
        UserSocialAuth.objects.create(user=alice, provider="google-oauth2", uid=PROFILE["sub"])

        self.link()

        assert UserSocialAuth.objects.get().user == alice
        assert get_user(self.client) == self.bob

    def test_take_off_asks_for_the_password_and_mails(self):
        self.link()
        assert self.post("wrong").status_code == 422
        assert UserSocialAuth.objects.exists()

        self.assertRedirects(self.post(), self.url)

        assert not UserSocialAuth.objects.exists()
        assert "no longer linked" in OutgoingMail.objects.latest("pk").subject

    def test_second_google_account_with_the_address_joins_no_linked_member(self):
        self.link()
        self.client.logout()

        response = self.come_back({**PROFILE, "sub": "another", "email": "bob@example.com"})

        assert response.url.startswith(reverse("login"))
        self.assertContains(self.client.get(reverse("login")), "another Google account")
        assert UserSocialAuth.objects.count() == 1

    def test_google_account_that_was_taken_off_stays_off(self):
        profile = {**PROFILE, "email": "bob@example.com"}
        self.link(profile)
        self.post()
        self.client.logout()

        self.come_back(profile)

        self.assertContains(self.client.get(reverse("login")), "You took Google off")
        assert not get_user(self.client).is_authenticated
        assert not UserSocialAuth.objects.exists()

        self.client.force_login(self.bob, backend="account.backends.UsernameOrEmailBackend")
        self.link(profile)
        self.client.logout()
        self.come_back(profile)
        assert get_user(self.client) == self.bob

    def test_own_address_of_social_auth_takes_nothing_off(self):
        self.link()

        response = self.client.post(reverse("social:disconnect", args=["google-oauth2"]))

        assert response.url == self.url
        assert UserSocialAuth.objects.exists()

    def test_member_without_a_password_gets_one_first(self):
        self.link()
        self.bob.set_unusable_password()
        self.bob.save()
        self.client.force_login(self.bob, backend="account.backends.UsernameOrEmailBackend")

        self.assertContains(self.client.get(self.url), "You have no password here")
        assert self.post().status_code == 422
        assert UserSocialAuth.objects.exists()
        self.client.post(reverse("password_reset"), {"email": self.bob.email})
        assert "/account/password-reset/" in OutgoingMail.objects.latest("pk").opened()[0]

    def test_without_a_key_there_is_no_such_page(self):
        self.assertContains(self.client.get(reverse("account:edit")), self.url)
        with override_settings(SOCIAL_AUTH_GOOGLE_OAUTH2_KEY=""):
            assert self.client.get(self.url).status_code == 404
            self.assertNotContains(self.client.get(reverse("account:edit")), self.url)
