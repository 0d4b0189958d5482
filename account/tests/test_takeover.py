"""Whoever knew a password once, or registered with another's address, keeps no way in."""

import re

import pytest
from django.contrib.auth import get_user
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from social_django.models import UserSocialAuth

from account import second_factor
from account.leaving import leave
from account.models import Follow, MuteOrBlock, RecoveryCode, SecondFactor, User
from account.registration import register
from account.tests.factories import PASSWORD, code_now, make_staff, make_user
from mail.addresses import is_proven, mark_proven, plain
from mail.models import OutgoingMail

NEW = "another-passphrase"


def path_in(mail: OutgoingMail) -> str:
    return re.search(r"http://[^/]+(/account/\S+)", mail.opened()[0])[1]


def reset(client, email: str) -> None:
    client.post(reverse("password_reset"), {"email": email})
    form = client.get(path_in(OutgoingMail.objects.latest("id")), follow=True).redirect_chain[-1][0]
    client.post(form, {"new_password1": NEW, "new_password2": NEW})


class ChangedAddressTests(TestCase):
    def setUp(self):
        self.alice = make_user("alice", email="alice@example.com")
        self.client.force_login(self.alice)
        self.client.post(reverse("account:email_change"), {"email": "thief@example.com", "password": PASSWORD})
        self.path = path_in(OutgoingMail.objects.get(to="thief@example.com"))

    def test_link_dies_with_the_password(self):
        reset(self.client_class(), "alice@example.com")
        self.alice.refresh_from_db()
        self.client.force_login(self.alice)

        assert self.client.get(self.path).status_code == 410
        assert self.client.post(self.path).status_code == 410
        self.alice.refresh_from_db()
        assert self.alice.email == "alice@example.com"

    def test_link_alone_changes_nothing(self):
        stranger = self.client_class()
        assert stranger.post(self.path).url.startswith(reverse("login"))
        stranger.force_login(make_user("bob"))
        assert stranger.post(self.path).status_code == 410

        self.alice.refresh_from_db()
        assert self.alice.email == "alice@example.com"

    def test_link_works_once_for_who_asked(self):
        zoe, new = make_user("zoe", email="zoe@example.com"), "new@example.com"
        hers = self.client_class()
        hers.force_login(zoe)
        hers.post(reverse("account:email_change"), {"email": new, "password": PASSWORD})
        for browser, path in [(self.client, self.path), (hers, path_in(OutgoingMail.objects.get(to=new)))]:
            assert browser.get(path).status_code == 200
            assert browser.post(path).status_code == 302
            assert browser.post(path).status_code == 410

        self.alice.refresh_from_db()
        assert (self.alice.email, self.alice.is_proven) == ("thief@example.com", True)

    def test_address_of_another_member_gets_no_mail_and_the_same_answer(self):
        make_user("bob", email="bob@example.com")
        url = reverse("account:email_change")
        known = self.client.post(url, {"email": "bob@example.com", "password": PASSWORD})
        unknown = self.client.post(url, {"email": "new@example.com", "password": PASSWORD})

        assert known.url == unknown.url
        assert not OutgoingMail.objects.filter(to="bob@example.com").exists()


class SquatterTests(TestCase):
    """Somebody registers with the address of another, who comes later."""

    def setUp(self):
        self.squatter = make_user("squatter", email="alice@example.com", proven=False)
        self.client.force_login(self.squatter)

    def test_no_second_factor_before_the_address_is_proven(self):
        response = self.client.post(reverse("account:second_factor_setup"), {"code": "123456"}, follow=True)

        self.assertContains(response, "confirm your e-mail address first")
        assert not SecondFactor.objects.exists()

    def test_reset_by_the_owner_of_the_address_drops_what_was_set_up_before(self):
        factor = second_factor.begin(self.squatter)
        second_factor.confirm(self.squatter, code_now(factor.secret))
        UserSocialAuth.objects.create(user=self.squatter, provider="google-oauth2", uid="7")
        owner = self.client_class()

        reset(owner, "alice@example.com")
        owner.post(reverse("login"), {"username": "alice@example.com", "password": NEW})

        assert owner.get(reverse("account:dashboard")).status_code == 200
        assert not get_user(self.client).is_authenticated
        assert not (SecondFactor.objects.exists() or RecoveryCode.objects.exists() or UserSocialAuth.objects.exists())

    def test_reset_of_a_proven_member_leaves_the_second_factor(self):
        bob = make_user("bob", email="bob@example.com")
        factor = second_factor.begin(bob)
        second_factor.confirm(bob, code_now(factor.secret))

        reset(self.client_class(), "bob@example.com")

        bob.refresh_from_db()
        assert bob.has_second_factor

    def test_address_that_staff_typed_opens_nothing_without_the_second_factor(self):
        bob = make_user("bob", email="bob@example.com")
        factor = second_factor.begin(bob)
        second_factor.confirm(bob, code_now(factor.secret))
        UserSocialAuth.objects.create(user=bob, provider="google-oauth2", uid="7")
        self.client.force_login(make_staff("helper", "account.view_user", "account.change_user"))
        url = reverse("admin:account_user_change", args=[bob.pk])
        for email in ("between@example.com", "helpers@example.com"):
            data = {"username": "bob", "first_name": "Bob", "email": email, "is_active": "on"}
            assert self.client.post(url, data).status_code == 302

        thief = self.client_class()
        reset(thief, "helpers@example.com")
        thief.post(reverse("login"), {"username": "bob", "password": NEW})

        assert thief.get(reverse("account:dashboard")).url.startswith(reverse("account:second_factor"))
        assert SecondFactor.objects.filter(user=bob).exists()
        assert UserSocialAuth.objects.filter(user=bob).exists()
        warning = OutgoingMail.objects.get(to="bob@example.com", kind="account-moved")
        assert "changed the e-mail address" in warning.opened()[0]
        assert "helpers@example.com" not in warning.text

    def test_second_factor_that_is_gone_shuts_nobody_out(self):
        User.objects.filter(pk=self.squatter.pk).update(has_second_factor=True)

        led = self.client.get(reverse("account:second_factor"), follow=True)
        assert (led.status_code, bool(led.redirect_chain)) == (200, True)
        assert self.client.get(reverse("account:dashboard")).status_code == 200


class TellTaleTests(TestCase):
    def register(self, **changes):
        data = {"username": "bob", "first_name": "Bob", "email": "b@example.com", "password1": NEW, "password2": NEW}
        return self.client.post(reverse("account:register"), data | changes)

    def test_registering_with_an_address_as_the_name_tells_nobody_whose_it_is(self):
        make_user("anna", email="anna@example.com")
        known = self.register(username="anna@example.com").content.replace(b"anna", b"x")
        unknown = self.register(username="otto@example.com").content.replace(b"otto", b"x")

        assert known == unknown
        assert b"exists" not in known

    def test_reset_does_the_same_work_for_an_address_that_is_nobodys(self):
        make_user("anna", email="anna@example.com")
        statements = []
        for email in ["anna@example.com", "otto@example.com"]:
            with CaptureQueriesContext(connection) as asked:
                self.client.post(reverse("password_reset"), {"email": email})
            verbs = [query["sql"].split()[0] for query in asked]
            statements.append([verb for verb in verbs if verb != "DELETE"])

        assert statements[0] == statements[1]
        assert [mail.to for mail in OutgoingMail.objects.all()] == ["anna@example.com"]


class OnwardTests(TestCase):
    def test_page_somebody_wanted_is_kept_from_registering_to_the_first_login(self):
        wanted = "/images/create/?url=https%3A%2F%2Fexample.org"
        data = {"username": "bob", "first_name": "Bob", "email": "b@example.com", "password1": NEW, "password2": NEW}
        login = self.client.get(reverse("login"), {"next": wanted})
        register_path = re.search(r'href="(/account/register/[^"]+)"', login.content.decode())[1]
        self.assertContains(self.client.get(register_path), 'name="next"')

        done = self.client.post(reverse("account:register"), data | {"next": wanted}, follow=True)
        assert done.context["next"] == wanted
        proof = path_in(OutgoingMail.objects.get())
        assert self.client.get(proof).context["next"] == wanted
        led = self.client.post(proof, {"username": "bob", "next": wanted})
        response = self.client.post(led.url, {"username": "bob", "password": NEW, "next": wanted})

        assert response.url == wanted

    def test_pages_of_others_are_not_led_to(self):
        for target in ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)"]:
            page = self.client.get(reverse("account:register"), {"next": target})
            assert page.context["next"] == ""


class AddressTests(TestCase):
    def test_one_address_is_written_one_way(self):
        for typed in [" BOB@Example.COM ", "bob@ｅｘａｍｐｌｅ.com", "ｂｏｂ@example.com"]:
            assert plain(typed) == "bob@example.com"
        assert plain("bob@münchen.example") == plain("bob@xn--mnchen-3ya.example") == "bob@xn--mnchen-3ya.example"
        for nonsense in ["nonsense", "bob@", "bob@..", f"bob@{'x' * 64}.example"]:
            assert plain(nonsense) == nonsense

    def test_full_width_domain_is_no_second_account(self):
        make_user("bob", email="bob@example.com")

        register(username="other", email="bob@ｅｘａｍｐｌｅ.com", password=PASSWORD)

        assert OutgoingMail.objects.get().kind == "account-known"

    def test_address_of_a_guest_is_proven_only_when_it_was(self):
        assert not is_proven("guest@example.com")
        mark_proven("Guest@Example.com")
        assert is_proven("guest@example.com")
        assert is_proven(" GUEST@example.com")
        assert not is_proven("other@example.com")


class FollowTests(TestCase):
    def test_no_form_lets_anybody_follow_past_a_block(self):
        alice, bob = make_user("alice"), make_user("bob")
        MuteOrBlock.objects.create(owner=alice, other=bob, kind=MuteOrBlock.Kind.BLOCK)

        for one, other in [(alice, bob), (bob, alice)]:
            with pytest.raises(ValidationError, match="blocked"):
                Follow(follower=one, followed=other).full_clean()
        MuteOrBlock.objects.update(kind=MuteOrBlock.Kind.MUTE)
        Follow(follower=bob, followed=alice).full_clean()


class GoogleMark(TestCase):
    def test_mark_is_gone_with_the_person(self):
        bob = make_user("bob")
        User.objects.update(google_unlinked_at=timezone.now())
        leave(bob)

        assert User.objects.get().google_unlinked_at is None
