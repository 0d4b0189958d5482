"""Google login against a fake of Google's two endpoints; only the network is replaced, the pipeline is real."""

import json
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import requests
from django.contrib.auth import get_user
from django.test import TestCase, override_settings
from django.urls import reverse
from social_django.models import UserSocialAuth

from account.models import User
from account.pipeline import clean_username
from account.tests.factories import make_user
from actions.models import Action
from mail.addresses import is_proven

TOKEN = {"access_token": "t", "token_type": "Bearer"}
PROFILE = {"sub": "1234567890", "email": "alice@example.com", "email_verified": True, "given_name": "Alice"}


@override_settings(SOCIAL_AUTH_GOOGLE_OAUTH2_KEY="key", SOCIAL_AUTH_GOOGLE_OAUTH2_SECRET="secret")
class GoogleTests(TestCase):
    def begin(self, **data):
        return self.client.post(reverse("social:begin", args=["google-oauth2"]), data)

    def come_back(self, profile: Any, *, state: str | None = None, **query):
        begun = self.begin()
        state = parse_qs(urlsplit(begun.url).query)["state"][0] if state is None else state

        def request(method, url, **kwargs):
            if isinstance(profile, Exception):
                raise profile
            answer = requests.Response()
            answer.status_code, answer.url = (500 if profile is None else 200), url
            answer._content = json.dumps(profile if "userinfo" in url else TOKEN).encode()
            return answer

        with patch("social_core.backends.base.requests.request", request):
            query = {"state": state, "code": "c", **query}
            return self.client.get(reverse("social:complete", args=["google-oauth2"]), query)

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
        for broken in [None, [], "text", requests.ConnectionError("down"), requests.Timeout()]:
            with self.subTest(broken):
                self.refused(broken)

    def test_names_that_do_not_fit_our_rules_are_made_to(self):
        for name in ["admin", "", "日本語", "a+b", "..", "x" * 100]:
            made = clean_username(name)
            User._meta.get_field("username").run_validators(made)
            assert made.lower() != "admin"
