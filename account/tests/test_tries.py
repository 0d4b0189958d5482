"""How often a password or a code is judged, whoever asks, from wherever, with or without Redis."""

from contextlib import suppress
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth import authenticate, get_user
from django.core.cache import cache
from django.db.models import QuerySet
from django.test import RequestFactory, TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from account import devices, second_factor, tries
from account.models import Tries, User
from account.tests.factories import PASSWORD, code_now, make_user
from core.stores import counters
from core.tests.races import MOST, Meeting, look_then_write, race
from core.web.ratelimit import TooOften
from mail.models import OutgoingMail

NEW = "another-passphrase"


class GuessingTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice", email="alice@example.com")

    def guess(self, name: str = "alice", password: str = "wrong", *, browser=None, number: int = 0, url: str = ""):
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        data = {"username": name, "password": password}
        return (browser or self.client_class()).post(url or reverse("login"), data, REMOTE_ADDR=address)

    def judged(self, guesses) -> int:
        with patch.object(User, "check_password", return_value=False) as check:
            for number, name in enumerate(guesses):
                self.guess(name, number=number)
        return check.call_count

    def test_of_a_thousand_guesses_from_a_thousand_addresses_in_an_hour_twenty_are_judged(self):
        names = ["alice", "alice@example.com", "ALICE", "Alice@Example.COM"]
        with (
            time_machine.travel(timezone.now(), tick=False) as clock,
            patch.object(User, "check_password", return_value=False) as check,
        ):
            for number in range(1000):
                request = RequestFactory().post("/", REMOTE_ADDR=f"10.0.{number // 250}.{number % 250}")
                with suppress(TooOften):
                    authenticate(request, username=names[number % 4], password="wrong")
                clock.shift(3.599)
            judged = check.call_count

        assert 18 <= judged <= 20

    def test_owner_comes_in_from_their_usual_browser_while_others_guess(self):
        usual = self.client_class()
        self.guess("alice", PASSWORD, browser=usual)
        usual.post(reverse("logout"))
        assert self.judged(["alice", "alice@example.com"] * 20) == 10

        assert self.guess("alice", PASSWORD).status_code == 429
        self.guess("alice", PASSWORD, browser=usual)

        assert get_user(usual) == self.alice

    def test_guesses_in_a_known_browser_wait_too(self):
        usual = self.client_class()
        self.guess("alice", PASSWORD, browser=usual)
        usual.post(reverse("logout"))

        answers = [self.guess("alice", "wrong", browser=usual).status_code for _ in range(12)]

        assert answers == [422] * 10 + [429] * 2

    def test_cookie_of_one_member_is_worth_nothing_for_another_and_nothing_when_altered(self):
        make_user("bob")
        browser = self.client_class()
        self.guess("bob", PASSWORD, browser=browser)
        browser.post(reverse("logout"))
        self.judged(["alice"] * 6)
        assert self.guess("alice", PASSWORD, browser=browser).status_code == 429

        browser.cookies[devices.COOKIE] = browser.cookies[devices.COOKIE].value + "x"
        self.judged(["bob"] * 6)
        assert self.guess("bob", PASSWORD, browser=browser).status_code == 429

    def test_browser_is_forgotten_when_the_password_changes_elsewhere(self):
        thief = self.client_class()
        self.guess("alice", PASSWORD, browser=thief)
        request = RequestFactory().post("/")
        request.COOKIES = {devices.COOKIE: thief.cookies[devices.COOKIE].value}
        assert devices.known(request, self.alice)

        self.alice.set_password(NEW)
        self.alice.save()

        assert not devices.known(request, self.alice)

    def test_two_members_in_one_browser_are_both_known(self):
        bob, browser = make_user("bob"), self.client_class()
        for name in ["alice", "bob"]:
            self.guess(name, PASSWORD, browser=browser)
            browser.post(reverse("logout"))
        request = RequestFactory().post("/")
        request.COOKIES = {devices.COOKIE: browser.cookies[devices.COOKIE].value}

        assert devices.known(request, self.alice)
        assert devices.known(request, bob)

    def test_right_password_uses_up_no_try(self):
        for number in range(12):
            browser = self.client_class()
            self.guess("alice", PASSWORD, browser=browser, number=number)
            assert get_user(browser) == self.alice

    def test_name_that_is_nobodys_waits_alike(self):
        known, unknown = ([self.guess(name, number=n).status_code for n in range(7)] for name in ("alice", "nobody"))

        assert known == unknown == [422] * 5 + [429] * 2

    def test_admin_leads_to_the_one_login(self):
        response = self.client.get("/admin/orders/order/", follow=True)

        assert response.redirect_chain[-1][0] == f"{reverse('login')}?next=/admin/orders/order/"
        self.assertRedirects(self.client.post("/admin/login/?next=/admin/"), f"{reverse('login')}?next=/admin/")

    def test_member_who_is_no_staff_is_told_so_and_not_sent_in_circles(self):
        self.client.force_login(self.alice)

        assert self.client.get("/admin/", follow=True).status_code == 403

    def test_whoever_calls_authenticate_is_counted(self):
        for _ in range(5):
            assert authenticate(None, username="alice", password="wrong") is None
        with pytest.raises(TooOften):
            authenticate(None, username="alice", password=PASSWORD)

    @override_settings(REDIS_URL="redis://127.0.0.1:1/0")
    def test_counts_hold_while_redis_is_away(self):
        with patch.object(cache, "add", return_value=False), patch.object(cache, "incr", side_effect=ValueError):
            assert self.judged(["alice"] * 20) == 5

    def test_counts_hold_whatever_else_is_counted(self):
        self.judged(["alice"] * 5)
        for number in range(500):
            counters.count(f"a token that somebody made up {number}", 60)
        cache.clear()
        counters.forget_all()

        assert self.judged(["alice"] * 5) == 0

    def test_reset_password_lets_in_at_once(self):
        for _ in range(6):
            self.client.post(reverse("password_reset"), {"email": "alice@example.com"}, REMOTE_ADDR="10.6.6.6")
        self.client.post(reverse("password_reset"), {"email": "alice@example.com"})
        path = OutgoingMail.objects.latest("id").opened()[0].split("http://127.0.0.1:8000")[1].split()[0]
        form = self.client.get(path, follow=True).redirect_chain[-1][0]
        self.client.post(form, {"new_password1": NEW, "new_password2": NEW})

        self.judged(["alice", "alice@example.com"] * 20)
        for name in ("alice", "alice@example.com"):
            self.guess(name, NEW, browser=self.client)
            assert get_user(self.client) == self.alice
            self.client.post(reverse("logout"))


class AskedAgainTests(TestCase):
    """The password that a page asks for once more, and codes."""

    def setUp(self):
        self.alice = make_user("alice")
        self.client.force_login(self.alice, backend="account.backends.UsernameOrEmailBackend")

    def change(self, old: str):
        data = {"old_password": old, "new_password1": NEW, "new_password2": NEW}
        return self.client.post(reverse("password_change"), data)

    def test_eleventh_wrong_old_password_is_not_judged(self):
        answers = [self.change("wrong").status_code for _ in range(12)]

        assert answers == [422] * 10 + [429] * 2
        assert self.change(PASSWORD).status_code == 429

    def test_pages_that_ask_for_the_password_share_its_tries(self):
        for _ in range(5):
            self.client.post(reverse("account:leave"), {"username": "alice", "password": "wrong"})
            self.client.post(reverse("account:email_change"), {"email": "a@example.org", "password": "wrong"})

        assert self.change(PASSWORD).status_code == 429

    def test_twenty_codes_an_hour_are_judged_whatever_else_is_sent(self):
        factor = second_factor.begin(self.alice)
        second_factor.confirm(self.alice, code_now(factor.secret))
        url, judged = reverse("account:second_factor"), 0
        with time_machine.travel(timezone.now(), tick=False) as clock, patch.object(second_factor, "check") as check:
            check.return_value = False
            for _ in range(60):
                for _ in range(3):
                    self.client.post(url, {"code": "000000"})
                cache.clear()
                counters.forget_all()
                clock.shift(60)
            judged = check.call_count

        assert 18 <= judged <= 20


class WindowTests(TestCase):
    LIMIT = tries.Limit(free=3, seconds=60)

    def spend(self) -> int:
        return tries.spend("x", self.LIMIT)

    def test_tries_come_back_one_by_one(self):
        with time_machine.travel(1_700_000_000, tick=False) as clock:
            assert [self.spend() for _ in range(4)] == [0, 0, 0, 60]
            clock.shift(59)
            assert self.spend() == 1
            clock.shift(1)
            assert [self.spend(), self.spend()] == [0, 60]
            clock.shift(1000)
            assert [self.spend() for _ in range(4)] == [0, 0, 0, 60]

    def test_given_back_is_as_if_never_spent(self):
        with time_machine.travel(1_700_000_000, tick=False):
            for _ in range(5):
                assert self.spend() == 0
                tries.give_back("x", self.LIMIT)
            assert [self.spend() for _ in range(4)] == [0, 0, 0, 60]

    def test_rows_of_those_who_wait_for_nothing_are_dropped(self):
        with time_machine.travel(1_700_000_000, tick=False) as clock:
            self.spend()
            tries.forget_old()
            assert Tries.objects.count() == 1
            clock.shift(61)
            tries.forget_old()
            assert not Tries.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_not_judged_at_once():
    passed: list[int] = []
    limit = tries.Limit(free=5, seconds=720)

    assert race(lambda _number: passed.append(tries.spend("alice", limit)), 20) == []

    assert sum(seconds == 0 for seconds in passed) == 5


def judged_at_once(threads: int, each: int) -> int:
    """Guess at one account from as many addresses as there are guesses; return how many passwords were looked at."""
    judged: list[str] = []

    def look(user: User, password: str) -> bool:
        judged.append(password)
        return False

    def guess(number: int) -> None:
        for try_ in range(each):
            request = RequestFactory().post("/", REMOTE_ADDR=f"10.{number}.{try_ // 250}.{try_ % 250}")
            with suppress(TooOften):
                authenticate(request, username="alice", password="wrong")

    with patch.object(User, "check_password", look):
        assert race(guess, threads) == []
    return len(judged)


@pytest.mark.django_db(transaction=True)
def test_of_a_thousand_passwords_at_once_from_a_thousand_addresses_five_are_judged():
    make_user("alice")

    assert judged_at_once(MOST, 50) == tries.LOGIN.free


@pytest.mark.django_db(transaction=True)
def test_without_the_guard_of_the_update_all_are_judged_that_look_at_once():
    make_user("alice")
    assert judged_at_once(1, tries.LOGIN.free - 1) == tries.LOGIN.free - 1

    with patch.object(QuerySet, "update", look_then_write(Meeting(MOST), Tries)):
        assert judged_at_once(MOST, 1) == MOST
