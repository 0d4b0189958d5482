from datetime import UTC, datetime, timedelta

import time_machine
from django.contrib.auth import get_user
from django.test import TestCase, override_settings
from django.urls import reverse

from account.tests.factories import make_user

MORNING = datetime(2026, 5, 4, 8, tzinfo=UTC)


@override_settings(STAFF_IDLE_HOURS=12, STAFF_SESSION_DAYS=7)
class StaffSessionTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.boss, cls.alice = make_user("boss", staff=True), make_user("alice")

    def visit(self, person, *moments: timedelta):
        """Log in in the morning and look at the admin, or the dashboard, at these times; return the last answer."""
        url = reverse("admin:index") if person.is_staff else reverse("account:dashboard")
        with time_machine.travel(MORNING, tick=False) as clock:
            self.client.force_login(person)
            self.client.get(url)
            for moment in moments:
                clock.move_to(MORNING + moment)
                response = self.client.get(url)
            self.is_in = get_user(self.client).is_authenticated
        return response

    def test_idle_for_longer_than_the_limit_is_logged_out_and_led_back(self):
        response = self.visit(self.boss, timedelta(hours=12, minutes=1))

        assert not self.is_in
        assert response.url == reverse("login") + "?next=%2Fadmin%2F"
        self.assertContains(self.client.get(response.url), "session was idle or old")

    def test_who_works_all_day_stays_in(self):
        response = self.visit(self.boss, *[timedelta(hours=hours) for hours in range(11, 100, 11)])

        assert response.status_code == 200
        assert self.is_in

    def test_clicks_a_minute_apart_count_as_use(self):
        """The last click is noted every ten minutes only, which must not shorten the hours by more than that."""
        minutes = [timedelta(minutes=number) for number in range(1, 120)]

        assert self.visit(self.boss, *minutes, timedelta(hours=13, minutes=45)).status_code == 200

    def test_oldest_session_ends_however_busy(self):
        response = self.visit(self.boss, *[timedelta(hours=hours) for hours in range(10, 7 * 24 + 10, 10)])

        assert response.status_code == 302
        assert not self.is_in

    def test_every_page_counts_and_a_form_is_not_acted_on(self):
        with time_machine.travel(MORNING, tick=False) as clock:
            self.client.force_login(self.boss)
            self.client.get(reverse("home"))
            clock.move_to(MORNING + timedelta(hours=13))
            response = self.client.post(reverse("account:edit"), {"first_name": "Changed"})

        self.boss.refresh_from_db()
        assert response.status_code == 302
        assert self.boss.first_name == "Boss"

    def test_a_member_who_comes_every_day_logs_in_again_after_three_months(self):
        with override_settings(SESSION_COOKIE_AGE=200 * 86_400):  # as if each visit had changed the session
            assert self.visit(self.alice, timedelta(days=45), timedelta(days=89)).status_code == 200
            response = self.visit(self.alice, timedelta(days=45), timedelta(days=91))

        assert not self.is_in
        assert response.url.startswith(reverse("login"))

    def test_members_have_two_weeks(self):
        assert self.visit(self.alice, timedelta(days=13)).status_code == 200
        assert self.is_in
        assert self.visit(self.alice, timedelta(days=15)).status_code == 302
