import re
from datetime import timedelta

import pytest
import time_machine
from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from account import second_factor
from account.forms import CodeForm
from account.models import RecoveryCode, SecondFactor, User
from account.tests.factories import PASSWORD, code_at, code_now, make_user
from core.tests.races import race

# The examples of RFC 6238, appendix B, cut to six digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC = {59: "287082", 1111111109: "081804", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"}


@pytest.mark.parametrize("moment", RFC)
def test_codes_are_those_of_the_standard(moment):
    assert code_at(RFC_SECRET, moment) == RFC[moment]
    with time_machine.travel(moment, tick=False):
        assert second_factor._step_of(RFC_SECRET, RFC[moment]) == moment // 30


@pytest.mark.parametrize(("steps", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_off_by_one_step(steps, is_taken):
    with time_machine.travel(1_800_000_000, tick=False):
        step = second_factor._step_of(RFC_SECRET, code_now(RFC_SECRET, steps=steps))

    assert step == (60_000_000 + steps if is_taken else None)


@pytest.mark.parametrize(
    "odd", ["", " ", "-1", "35313", "0353130", "35313O", "３５３１３０", "٣٥٣١٣٠", "\ud800", "353130\n"]
)
def test_odd_input_is_refused(odd):
    with time_machine.travel(20000000000, tick=False):
        assert second_factor._step_of(RFC_SECRET, "353130")
        assert second_factor._step_of(RFC_SECRET, odd) is None


def test_the_apps_address_says_whose_code_it_is_and_for_which_site():
    factor = SecondFactor(user=User(username="alice"), secret=RFC_SECRET)
    address = second_factor.context_of(factor, "Atelier & Co")["address"]

    assert address == f"otpauth://totp/Atelier%20%26%20Co:alice?secret={RFC_SECRET}&issuer=Atelier%20%26%20Co"


def set_up(user: User) -> tuple[SecondFactor, list[str]]:
    factor = second_factor.begin(user)
    codes = second_factor.confirm(user, code_now(factor.secret))
    return factor, codes


def later(*, minutes: int):
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False)


class SetUpTests(TestCase):
    def setUp(self):
        self.alice = make_user("alice")
        self.client.force_login(self.alice)
        self.url = reverse("account:second_factor_setup")

    def test_set_up_shows_picture_secret_and_then_recovery_codes(self):
        page = self.client.get(self.url)
        secret = SecondFactor.objects.get().secret

        self.assertContains(page, "data:image/svg+xml")
        (shown,) = re.findall(r"\b(?:\w{4} ){7}\w{4}\b", page.text)
        assert shown.replace(" ", "") == secret
        done = self.client.post(self.url, {"code": code_now(secret)})

        codes = re.findall(r"<code>((?:[a-z2-7]{4}-){6}[a-z2-7]{4})</code>", done.content.decode())
        assert len(set(codes)) == 10
        assert not RecoveryCode.objects.filter(digest__in=codes).exists()
        self.alice.refresh_from_db()
        assert self.alice.has_second_factor
        assert self.client.get(reverse("account:dashboard")).status_code == 200

    def test_wrong_code_changes_nothing(self):
        self.client.get(self.url)

        for code in ["000000", "abc", "", "١٢٣٤٥٦", "1" * 50]:
            assert self.client.post(self.url, {"code": code}).status_code in (422, 429)
        self.alice.refresh_from_db()
        assert not self.alice.has_second_factor

    def test_a_browser_left_open_locks_its_owner_out_of_nothing(self):
        """Whoever sits down at it could set up a phone of their own, and the owner would never get in again."""
        with later(minutes=11):
            self.client.get(self.url)
            code = code_now(SecondFactor.objects.get().secret)

            assert self.client.post(self.url, {"code": code}).status_code == 422
            assert self.client.post(self.url, {"code": code, "password": "wrong"}).status_code == 422
            self.alice.refresh_from_db()
            assert not self.alice.has_second_factor
            assert self.client.post(self.url, {"code": code, "password": PASSWORD}).status_code == 200
        self.alice.refresh_from_db()
        assert self.alice.has_second_factor

    def test_a_secret_seen_long_ago_is_not_the_one_that_is_set_up(self):
        """It stays the same for whoever reloads the page, but not for whoever passed by last week."""
        self.client.get(self.url)
        seen = SecondFactor.objects.get().secret
        with later(minutes=50):
            self.client.get(self.url)
            assert SecondFactor.objects.get().secret == seen

        with later(minutes=120):
            self.client.get(self.url)
            assert SecondFactor.objects.get().secret != seen

    def test_who_has_no_password_logs_in_again_before_changing_how_one_logs_in(self):
        self.alice.set_unusable_password()
        self.alice.save()
        self.client.force_login(self.alice)
        names = ("second_factor_setup", "second_factor_remove", "email_change", "leave")
        pages = [reverse(f"account:{name}") for name in names]

        assert self.client.get(self.url).status_code == 200
        with later(minutes=11):
            for page in pages:
                self.assertRedirects(self.client.post(page, {"username": "alice"}), reverse("account:edit"))
        assert User.objects.filter(username="alice", is_active=True).exists()

    def pass_it(self) -> str:
        set_up(self.alice)
        session = self.client.session
        session[second_factor.PASSED] = str(self.alice.pk)
        session.save()
        return reverse("account:second_factor_remove")

    def test_new_recovery_codes_replace_the_old_ones_and_can_be_kept_as_a_file(self):
        url, old = self.pass_it(), second_factor.new_recovery_codes(self.alice)

        assert self.client.post(url, {"password": "wrong", "action": "codes"}).status_code == 422
        response = self.client.post(url, {"password": PASSWORD, "action": "codes"})

        new = response.context["codes"]
        assert len(set(new) - set(old)) == second_factor.RECOVERY_CODES
        self.assertContains(response, 'download="alice-recovery-codes.txt"')
        self.assertContains(response, f"alice%0A{new[0]}%0A")
        assert not second_factor.check(self.alice, old[0])
        assert second_factor.check(self.alice, new[0])
        self.alice.refresh_from_db()
        assert self.alice.has_second_factor

    def test_turning_off_asks_for_the_password(self):
        url = self.pass_it()

        assert self.client.post(url, {"password": "wrong"}).status_code == 422
        self.client.post(url, {"password": PASSWORD})

        self.alice.refresh_from_db()
        assert not self.alice.has_second_factor
        assert not RecoveryCode.objects.exists()


class AskedTests(TestCase):
    def setUp(self):
        self.alice = make_user("alice", staff=True)
        self.factor, self.codes = set_up(self.alice)
        self.url = reverse("account:second_factor")

    def code(self) -> str:
        return code_now(self.factor.secret)

    def log_in(self, url: str = "") -> None:
        self.client.post(url or reverse("login"), {"username": "alice", "password": PASSWORD})

    def test_password_alone_opens_nothing(self):
        self.log_in()

        for name in ["account:dashboard", "account:edit", "admin:index", "images:image_create", "home"]:
            response = self.client.get(reverse(name))
            assert response.status_code == 302
            assert response.url.startswith(self.url)

    def test_login_of_the_admin_and_any_other_is_held_back_too(self):
        self.log_in(f"{reverse('login')}?next=/admin/")
        assert self.client.get(reverse("admin:index")).url.startswith(self.url)

        self.client.force_login(self.alice, backend="account.backends.GoogleBackend")
        assert self.client.get(reverse("admin:index")).url.startswith(self.url)

    def test_code_of_the_next_step_opens_and_leads_on(self):
        self.log_in()
        with later(minutes=2):
            response = self.client.post(f"{self.url}?next=/account/edit/", {"code": self.code()})

        self.assertRedirects(response, "/account/edit/", fetch_redirect_response=False)

    def test_code_works_once(self):
        with later(minutes=2):
            code = self.code()
            assert second_factor.check(self.alice, code)
            assert not second_factor.check(self.alice, code)
            assert not second_factor.check(self.alice, code_now(self.factor.secret, steps=-1)), "nor one before it"

    def test_recovery_code_works_once(self):
        assert second_factor.check(self.alice, self.codes[0].upper())
        assert not second_factor.check(self.alice, self.codes[0])
        assert second_factor.check(self.alice, self.codes[1])

    def test_recovery_codes_cannot_be_guessed_and_are_taken_however_they_are_typed(self):
        codes = second_factor.new_recovery_codes(self.alice)

        assert all(len(set(code)) > 8 and len(code.replace("-", "")) * 5 >= 128 for code in codes)
        for typed in (codes[0].upper(), codes[1].replace("-", " "), f" {codes[2].replace('-', '')} "):
            assert CodeForm({"code": typed}).is_valid()
            assert second_factor.check(self.alice, typed)

    def test_a_recovery_code_of_an_earlier_release_opens_the_account(self):
        RecoveryCode.objects.create(user=self.alice, digest=second_factor._digest(self.alice, "0123456789"))

        assert second_factor.check(self.alice, "01234-56789")
        assert not second_factor.check(self.alice, "01234-56789")

    def test_what_is_in_force_is_not_confirmed_a_second_time(self):
        with later(minutes=2):
            assert second_factor.confirm(self.alice, self.code()) is None
            assert second_factor.check(self.alice, self.codes[0]), "the recovery codes are those that were shown"

    def test_who_has_no_second_factor_has_no_right_code(self):
        bob = make_user("bob")
        assert second_factor.begin(bob).secret == second_factor.begin(bob).secret

        assert not second_factor.check(bob, code_now(second_factor.begin(bob).secret))
        assert [second_factor.is_in_force(person) for person in (self.alice, bob)] == [True, False]

    def test_secret_sealed_under_a_key_that_is_gone_opens_nothing_and_is_made_anew(self):
        with override_settings(SECRET_KEY="another-key-that-is-as-long-as-it-has-to-be-or-longer"), later(minutes=2):
            assert SecondFactor.objects.get().secret is None
            assert not second_factor.check(self.alice, code_now(""))
            assert not second_factor.check(self.alice, self.codes[0])
            assert second_factor.begin(self.alice).secret

    def test_code_that_another_member_gave_in_this_browser_opens_nothing(self):
        self.log_in()
        for other in ("0", "99999999999"):
            session = self.client.session
            session[second_factor.PASSED] = other
            session.save()
            assert self.client.get(reverse("account:dashboard")).url.startswith(self.url)

    def test_recovery_code_of_another_member_is_nothing(self):
        _factor, others = set_up(make_user("bob"))

        assert not second_factor.check(self.alice, others[0])

    def test_eleventh_wrong_code_waits(self):
        self.log_in()
        answers = [self.client.post(self.url, {"code": "000000"}).status_code for _ in range(11)]

        assert answers == [422] * 10 + [429]

    def test_who_guesses_codes_keeps_out_neither_a_recovery_code_nor_the_usual_browser(self):
        self.log_in()
        assert self.client.post(self.url, {"code": self.codes[0]}).status_code == 302
        self.client.post(reverse("logout"))
        thief, owner = self.client_class(), self.client_class()
        for browser in (thief, owner, self.client):
            browser.post(reverse("login"), {"username": "alice", "password": PASSWORD})
        answers = [thief.post(self.url, {"code": "000000"}).status_code for _ in range(11)]
        assert answers == [422] * 10 + [429]

        assert owner.post(self.url, {"code": "000000"}).status_code == 429
        assert owner.post(self.url, {"code": self.codes[1]}).status_code == 302
        assert self.client.post(self.url, {"code": "000000"}).status_code == 422
        for _ in range(10):
            thief.post(self.url, {"code": "00000-00000"})
        assert thief.post(self.url, {"code": "00000-00000"}).status_code == 429
        assert self.client.post(self.url, {"code": self.codes[2]}).status_code == 302

    def test_right_password_in_a_new_browser_gives_no_new_tries_at_codes(self):
        answers = []
        for _ in range(12):
            thief = self.client_class()
            thief.post(reverse("login"), {"username": "alice", "password": PASSWORD})
            answers.append(thief.post(self.url, {"code": "000000"}).status_code)

        assert answers == [422] * 10 + [429] * 2

    def test_next_leads_to_our_own_pages_only(self):
        self.log_in()
        for number, target in enumerate(["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)"]):
            with later(minutes=2 + number):
                response = self.client.post(self.url, {"code": self.code(), "next": target})
                assert response.url == reverse("account:dashboard")
                session = self.client.session
                del session[second_factor.PASSED]
                session.save()

    def test_logging_out_is_always_possible(self):
        self.log_in()

        self.assertRedirects(self.client.post(reverse("logout")), reverse("home"))

    def test_visitors_notice_nothing(self):
        assert self.client.get(reverse("home")).status_code == 200


@override_settings(STAFF_SECOND_FACTOR=True)
class StaffTests(TestCase):
    def test_staff_set_it_up_before_anything_else(self):
        self.client.force_login(make_user("boss", staff=True))

        for name in ["admin:index", "account:dashboard", "home"]:
            assert self.client.get(reverse(name)).url.startswith(reverse("account:second_factor_setup"))
        assert self.client.get(reverse("account:second_factor_setup")).status_code == 200

    def test_members_need_not(self):
        self.client.force_login(make_user("alice"))

        assert self.client.get(reverse("account:dashboard")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_same_code_twice_at_once_opens_once():
    alice = make_user("alice")
    factor, codes = set_up(alice)
    later = code_now(factor.secret, steps=1)
    answers: list[tuple[str, bool]] = []

    def use(number: int) -> None:
        code = later if number % 2 else codes[0]
        answers.append((code, second_factor.check(alice, code)))

    assert race(use, 20) == []
    assert sorted(code for code, is_right in answers if is_right) == sorted([later, codes[0]])
