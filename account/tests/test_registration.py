import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from account.forms import ProfileForm
from account.leaving import leave
from account.models import Registration, User
from account.names import acceptable
from account.registration import AddressTaken, NameTaken, join, mail_new_address, mail_proof, register
from account.tasks import sweep_sessions
from account.tests.factories import PASSWORD, make_user
from actions.models import Action
from core.tests.races import race
from mail.addresses import is_proven
from mail.models import OutgoingMail


def mailed_links() -> list[str]:
    mails = OutgoingMail.objects.filter(kind="account-proof").order_by("pk")
    return [re.search(r"http://[^/]+(/account/\S+)", mail.opened()[0])[1] for mail in mails]


def mailed_link() -> str:
    return mailed_links()[0]


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

    def test_account_begins_with_the_mailed_link_and_is_told_to_the_stream(self):  # D2
        response = self.register()

        self.assertRedirects(response, reverse("account:register_done"))
        assert not User.objects.exists()
        self.client.post(mailed_link(), {"username": "alice"})

        user = User.objects.get()
        assert (user.username, user.first_name, user.email) == ("alice", "Alice", "alice@example.com")
        assert user.check_password(PASSWORD)
        assert user.is_proven
        assert Action.objects.get().verb == Action.Verb.REGISTERED
        assert OutgoingMail.objects.get().to == "alice@example.com"
        assert not Registration.objects.exists()

    def test_whether_an_address_is_known_shows_nowhere(self):
        make_user("owner", email="known@example.com")
        seen = []
        for email in ("known@example.com", "unknown@example.com"):
            stranger = self.client_class()
            stranger.post(reverse("account:register"), form_data(username="probe", email=email))
            login = stranger.post(reverse("login"), {"username": "probe", "password": PASSWORD})
            again = stranger.post(reverse("account:register"), form_data(username="probe", email="me@example.com"))
            places = [reverse("account:user_detail", args=["probe"]), reverse("account:user_list"), "/search/?q=probe"]
            pages = [stranger.get(place) for place in [*places, reverse("home"), "/sitemap.xml"]]
            seen.append([login.status_code, again.status_code, *(page.status_code for page in pages)])
            assert not any(b"@probe" in page.content or b"users/probe" in page.content for page in pages[1:])

        assert seen[0] == seen[1]
        assert seen[0][:3] == [422, 302, 404]

    def test_known_and_unknown_addresses_cost_the_same_work(self):
        make_user("owner", email="known@example.com")
        asked = []
        for email in ("known@example.com", "unknown@example.com"):
            with CaptureQueriesContext(connection) as statements:
                self.register(email=email)
            asked.append([re.sub(r'(?s)"s\d+_x\d+"|VALUES.*|WHERE.*', "", query["sql"]) for query in statements])

        assert asked[0] == asked[1]

    def test_known_address_gets_the_same_answer_and_another_mail(self):
        make_user("owner", email="alice@example.com")
        fresh = self.register(email="new@example.com", username="new")

        known = self.register(email="ALICE@Example.com")

        assert (known.status_code, known.url) == (fresh.status_code, fresh.url)
        assert OutgoingMail.objects.get(to="alice@example.com").kind == "account-known"

    def test_known_address_is_mailed_once_however_often_it_is_tried(self):
        make_user("owner", email="alice@example.com")

        for _ in range(3):
            self.register(email="alice@example.com")

        assert OutgoingMail.objects.count() == 1

    def test_address_differing_in_case_is_the_same_account(self):  # D6
        self.register()
        self.register(username="other", email="ALICE@EXAMPLE.COM")

        for link, name in zip(mailed_links(), ["alice", "other"], strict=True):
            self.client.post(link, {"username": name})

        assert User.objects.get().username == "alice"

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
        more = {"is_staff": "on", "is_superuser": "1", "email": "other@example.com", "is_active": "0", "password": "x"}
        self.register(**more | {"email": "alice@example.com"})
        self.client.post(mailed_link(), {"username": "alice", **more})

        user = User.objects.get()
        assert (user.is_staff, user.is_superuser, user.email, user.is_active) == (
            False,
            False,
            "alice@example.com",
            True,
        )
        assert user.check_password(PASSWORD)

    def test_eleventh_try_in_an_hour_waits(self):  # D13
        for _ in range(10):
            self.register(username="")

        assert self.register().status_code == 429

    def test_odd_first_names_are_kept(self):
        names = ["\u202eRTL", "👨‍👩‍👧‍👦", "日本語", "'; DROP TABLE x;--", "<script>", "100% _like_"]
        for number, name in enumerate(names):
            self.register(username=f"odd{number}", email=f"odd{number}@example.com", first_name=name)

        assert [wish.first_name for wish in Registration.objects.order_by("pk")] == ["RTL", *names[1:]]


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
        for _ in range(2):
            self.client.post(reverse("account:register"), form_data(email="anna@example.com"))
        self.client.force_login(make_user(email="anna@example.com", proven=False))
        self.client.post(reverse("account:prove_send"))

        assert OutgoingMail.objects.filter(to="anna@example.com").count() == 5
        browser.force_login(make_user("wicked8", proven=False))
        assert browser.post(url, {"email": "anna@example.com", "password": PASSWORD}).status_code == 302
        assert OutgoingMail.objects.filter(to="anna@example.com").count() == 5


class JoinTests(TestCase):
    """The mailed link of somebody who has registered."""

    def setUp(self):
        register(username="alice", email="alice@example.com", password=PASSWORD)
        self.path = mailed_link()

    def test_opening_the_link_alone_makes_no_account(self):
        self.assertContains(self.client.get(self.path), "alice@example.com")

        assert not User.objects.exists()

    def test_name_taken_meanwhile_is_chosen_anew_at_the_link(self):
        make_user("Alice", email="other@example.com")

        refused = self.client.post(self.path, {"username": "alice"})
        self.assertContains(refused, "already exists", status_code=422)
        self.assertContains(refused, 'value="alice"', status_code=422)
        taken = self.client.post(self.path, {"username": "alice2"})

        assert taken.url == reverse("login")
        assert User.objects.get(email="alice@example.com").username == "alice2"

    def test_reserved_and_odd_names_are_refused_at_the_link_too(self):
        for name in ["admin", "a b", "bob@example.com", ""]:
            assert self.client.post(self.path, {"username": name}).status_code == 422

    def test_link_opened_twice_leads_to_the_login(self):
        for _ in range(2):
            assert self.client.post(self.path, {"username": "alice"}).url == reverse("login")
        assert self.client.get(self.path).url == reverse("login")

        assert User.objects.count() == 1

    def test_link_of_somebody_who_has_left_makes_no_second_account(self):
        self.client.post(self.path, {"username": "alice"})
        register(username="alice2", email="alice@example.com", password=PASSWORD)
        leave(User.objects.get())

        assert self.client.post(self.path, {"username": "alice"}).status_code == 410
        assert not Registration.objects.exists()

    def test_damaged_and_old_links_are_refused(self):
        for path in [self.path[:-3] + "x/", reverse("account:join", args=["nonsense"])]:
            assert self.client.get(path).status_code == 410
        Registration.objects.update(created_at=timezone.now() - timedelta(days=3, minutes=1))
        sweep_sessions()
        assert self.client.get(self.path).status_code == 410

    def test_who_lost_the_mail_registers_again_under_the_same_name(self):
        self.client.post(reverse("account:register"), form_data())

        assert self.client.post(mailed_links()[-1], {"username": "alice"}).url == reverse("login")
        assert User.objects.get().username == "alice"


class OldLinkTests(TestCase):
    def test_every_link_opens_for_the_three_days_its_mail_speaks_of_and_not_a_second_longer(self):
        alice, sent = make_user("alice", proven=False), timezone.now().replace(microsecond=0)
        with time_machine.travel(sent, tick=False), transaction.atomic():
            register(username="bob", email="bob@example.com", password=PASSWORD)
            mail_proof(alice)
            mail_new_address(alice, "new@example.com")
        assert all(mail.is_secret for mail in OutgoingMail.objects.all())
        mails = OutgoingMail.objects.exclude(kind="account-address", to=alice.email)  # which warns the old address
        texts = [mail.opened()[0] for mail in mails]
        paths = [re.search(r"http://[^/]+(/account/\S+)", text)[1] for text in texts if "3 days" in text]

        assert {path.split("/")[2] for path in paths} == {"register", "prove", "email"}
        for path in paths:
            for seconds, status in [(259_200, 200), (259_201, 410)]:
                moment = sent + timedelta(seconds=seconds)
                with self.subTest(path=path, seconds=seconds), time_machine.travel(moment, tick=False):
                    self.client.force_login(alice)
                    assert self.client.get(path).status_code == status

    def test_registration_is_kept_as_long_as_its_link_opens(self):
        with time_machine.travel(timezone.now(), tick=False) as clock:
            register(username="bob", email="bob@example.com", password=PASSWORD)
            for days, seconds, kept in [(3, 0, True), (0, 1, False)]:
                clock.shift(timedelta(days=days, seconds=seconds))
                sweep_sessions()
                assert Registration.objects.exists() == kept


class ProofTests(TestCase):
    """The mailed link of a member whose address staff have typed."""

    def setUp(self):
        self.user = make_user("alice", email="alice@example.com", proven=False)
        with transaction.atomic():
            mail_proof(self.user)
        self.path = mailed_link()

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
def test_twenty_links_of_one_address_make_one_member():  # D6
    for number in range(20):
        Registration.objects.create(username=f"racer{number}", email="one@example.com", password="x")
    wishes = list(Registration.objects.all())

    errors = race(lambda number: join(wishes[number], wishes[number].username), 20)

    assert {type(error) for error in errors} == {AddressTaken}
    assert len(errors) == 19
    assert User.objects.filter(email="one@example.com").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_confirm_one_name_at_once_one_is_asked_for_another():
    wishes = [Registration.objects.create(username="bob", email=f"bob{n}@example.com", password="x") for n in (1, 2)]

    errors = race(lambda number: join(wishes[number], "bob"), 2)

    assert [type(error) for error in errors] == [NameTaken]
    assert User.objects.filter(username="bob").count() == 1
    assert Registration.objects.count() == 1
