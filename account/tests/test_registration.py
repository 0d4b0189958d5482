import re

import pytest
from django.test import TestCase
from django.urls import reverse

from account.forms import ProfileForm
from account.models import User
from account.names import acceptable
from account.registration import register
from account.tests.factories import PASSWORD, make_user
from actions.models import Action
from config.tests.races import race
from mail.addresses import is_proven
from mail.models import OutgoingMail


def form_data(**changes) -> dict[str, str]:
    data = {
        "username": "alice",
        "first_name": "Alice",
        "email": "alice@example.com",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    return data | changes


class RegisterTests(TestCase):
    def register(self, **changes):
        return self.client.post(reverse("account:register"), form_data(**changes))

    def test_new_member_is_made_told_to_the_stream_and_mailed(self):  # D2
        response = self.register()

        self.assertRedirects(response, reverse("account:register_done"))
        user = User.objects.get()
        assert (user.username, user.first_name, user.email, user.is_proven) == (
            "alice",
            "Alice",
            "alice@example.com",
            False,
        )
        assert user.check_password(PASSWORD)
        assert Action.objects.get().verb == Action.Verb.REGISTERED
        assert OutgoingMail.objects.get().to == "alice@example.com"

    def test_known_address_gets_the_same_answer_and_another_mail(self):
        make_user("owner", email="alice@example.com")
        fresh = self.register(email="new@example.com", username="new")

        known = self.register(email="ALICE@Example.com")

        assert (known.status_code, known.url) == (fresh.status_code, fresh.url)
        assert not User.objects.filter(username="alice").exists()
        assert OutgoingMail.objects.get(to="alice@example.com").kind == "account-known"

    def test_known_address_is_mailed_once_however_often_it_is_tried(self):
        make_user("owner", email="alice@example.com")

        for _ in range(3):
            self.register(email="alice@example.com")

        assert OutgoingMail.objects.count() == 1

    def test_address_differing_in_case_is_the_same_account(self):  # D6
        self.register()

        self.register(username="other", email="ALICE@EXAMPLE.COM")

        assert User.objects.count() == 1

    def test_refused_form_comes_back_with_what_was_typed(self):
        response = self.register(password2="something else")

        self.assertContains(response, 'value="alice@example.com"', status_code=422)
        assert not User.objects.exists()

    def test_blank_password_is_a_field_error(self):  # D10
        assert self.register(password1="").status_code == 422
        assert self.register(password1="", password2="").status_code == 422

    def test_weak_passwords_are_refused(self):  # D9
        for password in ["1", "short", "password123", "1234567890123", "alice@example.com", "Atelier-2026"]:
            with self.subTest(password):
                assert self.register(password1=password, password2=password).status_code == 422

    def test_names_that_shadow_something_are_refused(self):  # D11, D12
        names = ["follow", "Admin", "bob@example.com", "..", "a/b", "-dash", "\u0430dmin", "a b", "x" * 41, ""]
        for name in names:
            with self.subTest(name):
                assert self.register(username=name).status_code == 422

    def test_taken_username_is_told_in_any_case(self):
        make_user("alice", email="first@example.com")

        response = self.register(username="ALICE")

        self.assertContains(response, "already exists", status_code=422)

    def test_addresses_that_no_mail_reaches_are_refused(self):  # D8
        addresses = ["", "alice", "a@localhost", "a@[127.0.0.1]", "a@b.test\nBcc: c@d.test", "a,b@x.test", "a" * 255]
        for email in addresses:
            with self.subTest(email):
                assert self.register(email=email).status_code == 422

    def test_fields_that_are_not_in_the_form_are_ignored(self):
        self.register(is_staff="on", is_superuser="1", email_proven_at="2020-01-01", is_active="0")

        user = User.objects.get()
        assert (user.is_staff, user.is_superuser, user.is_proven, user.is_active) == (False, False, False, True)

    def test_eleventh_try_in_an_hour_waits(self):  # D13
        for _ in range(10):
            self.register(username="")

        assert self.register().status_code == 429

    def test_odd_first_names_are_kept(self):
        names = ["\u202eRTL", "👨‍👩‍👧‍👦", "日本語", "'; DROP TABLE x;--", "<script>", "100% _like_"]
        for number, name in enumerate(names):
            self.register(username=f"odd{number}", email=f"odd{number}@example.com", first_name=name)

        assert [user.first_name for user in User.objects.order_by("pk")] == names


class StrangersMailTests(TestCase):
    """What somebody can have us write to a mailbox that is not theirs."""

    LETTER = "Hi\r\n\r\nYou won! Collect at http://evil.test"

    def test_names_are_one_line_without_web_addresses(self):
        alice = make_user("alice")
        self.client.force_login(alice)
        for name in (
            self.LETTER,
            "Hi\nthere",
            "Hi\u2028there",
            "a\x1bb",
            "http://evil.test",
            "see www.evil.test",
            "evil.com",
        ):
            with self.subTest(name):
                form = form_data(username="new", first_name=name, email="new@example.com")
                assert self.client_class().post(reverse("account:register"), form).status_code == 422
                for field in ("first_name", "last_name"):
                    data = {"first_name": "Alice", "last_name": "Liddell", field: name}
                    assert field in ProfileForm(data, instance=alice).errors
        assert self.client.post(reverse("account:edit"), {"first_name": "Dr. Anne-Marie O’Neil"}).status_code == 302
        assert acceptable(self.LETTER) == ""
        assert acceptable("Anne-Marie") == "Anne-Marie"

    def test_mails_to_addresses_that_nobody_proved_name_nobody(self):
        make_user("wicked", first_name="Wicked", email="wicked@example.com", proven=False)
        self.client.post(reverse("account:register"), form_data(username="wicked2", first_name="Wicked"))
        self.client.post(reverse("account:register"), form_data(username="wicked3", email="wicked@example.com"))
        self.client.post(reverse("password_reset"), {"email": "wicked@example.com"})
        self.client.force_login(make_user("wicked4", first_name="Wicked"))
        self.client.post(reverse("account:email_change"), {"email": "new@example.com", "password": PASSWORD})

        strangers = [mail for mail in OutgoingMail.objects.all() if mail.to != "wicked4@example.com"]
        kinds = {mail.kind for mail in strangers}
        assert kinds == {"account-proof", "account-known", "password-reset", "account-address"}
        for mail in strangers:
            assert "wicked" not in mail.text.lower().replace("wicked@example.com", ""), mail.text

    def test_one_mailbox_gets_few_mails_however_many_accounts_ask(self):
        url = reverse("account:email_change")
        for number in range(8):
            browser = self.client_class()
            browser.force_login(make_user(f"wicked{number}", proven=False))
            answer = browser.post(url, {"email": "anna@example.com", "password": PASSWORD})
            assert answer.status_code == 302
        self.client.post(reverse("account:register"), form_data(email="anna@example.com"))
        self.client.force_login(User.objects.get(email="anna@example.com"))
        self.client.post(reverse("account:prove_send"))

        assert OutgoingMail.objects.filter(to="anna@example.com").count() == 5


class ProofTests(TestCase):
    def setUp(self):
        self.user = register(username="alice", email="alice@example.com", password=PASSWORD)
        self.path = re.search(r"http://[^/]+(/account/prove/\S+)", OutgoingMail.objects.get().text)[1]

    def test_opening_the_link_alone_proves_nothing(self):
        response = self.client.get(self.path)

        self.assertContains(response, "alice@example.com")
        self.user.refresh_from_db()
        assert not self.user.is_proven

    def test_confirming_proves_the_address_for_the_whole_site(self):
        self.client.post(self.path)

        self.user.refresh_from_db()
        assert self.user.is_proven
        assert is_proven("alice@example.com")

    def test_link_of_an_address_since_changed_is_refused(self):
        self.user.email = "other@example.com"
        self.user.save()

        assert self.client.post(self.path).status_code == 410
        self.user.refresh_from_db()
        assert not self.user.is_proven

    def test_damaged_link_is_refused(self):
        for path in [self.path[:-3] + "x/", "/account/prove/nonsense/"]:
            assert self.client.get(path).status_code == 410

    def test_link_is_sent_again_on_request(self):
        self.client.force_login(self.user)
        OutgoingMail.objects.all().delete()

        self.client.post(reverse("account:prove_send"))

        assert OutgoingMail.objects.get().to == "alice@example.com"


@pytest.mark.django_db(transaction=True)
def test_twenty_sign_ups_with_one_address_make_one_member():  # D6
    def sign_up(number: int) -> None:
        register(username=f"racer{number}", email="ONE@example.com" if number % 2 else "one@EXAMPLE.com", password="x")

    errors = race(sign_up, 20)

    assert errors == []
    assert User.objects.filter(email="one@example.com").count() == 1
