import math
import threading
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from itertools import chain, repeat
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import InterfaceError, connection
from django.test import TransactionTestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from config.queues import beat_schedule
from core.jobs import sweeps
from core.jobs.rows import SomeFailed, each
from core.models import SweepRun, SweepRunQuerySet
from core.tasks import run_sweep
from core.tests.races import Meeting, all_at_once, look_then_write
from core.tests.waiting import wait_until

ran: list[str] = []
OFTEN, SELDOM, BROKEN = (f"{__name__}.{name}" for name in ("often", "seldom", "broken"))


def often():
    ran.append("often")


def seldom():
    ran.append("seldom")


def broken():
    raise RuntimeError("the disk is full")


@pytest.fixture(autouse=True)
def our_sweeps(settings):
    ran.clear()
    settings.SWEEPS = {BROKEN: 60, OFTEN: 10, SELDOM: 86_400}


def tick(*options):
    with suppress(CommandError):
        call_command("tick", *options, stdout=StringIO())


def move(name, **changes):
    SweepRun.objects.filter(name=name).update(**changes)


@pytest.mark.django_db(transaction=True)
def test_tick_runs_every_sweep_and_tells_which_failed():
    with pytest.raises(CommandError, match="broken"):
        call_command("tick", stdout=StringIO())

    assert ran == ["often", "seldom"]


@pytest.mark.django_db(transaction=True)
def test_a_sweep_runs_once_in_its_interval_whoever_asks():
    tick()
    tick()
    run_sweep(OFTEN)
    run_sweep(SELDOM)
    assert ran == ["often", "seldom"]

    move(OFTEN, due_at=timezone.now())
    run_sweep(OFTEN)
    run_sweep(OFTEN)
    assert ran == ["often", "seldom", "often"]


@pytest.mark.django_db(transaction=True)
def test_tick_now_runs_also_what_is_not_due():
    tick()
    tick("--now")

    assert ran == ["often", "seldom"] * 2


@pytest.mark.django_db(transaction=True)
def test_daily_sweep_that_was_forgotten_runs_at_the_first_question_and_then_a_day_later():
    tick()
    move(SELDOM, due_at=timezone.now() - timedelta(days=3))
    tick()

    assert ran.count("seldom") == 2
    due_in = SweepRun.objects.get(name=SELDOM).due_at - timezone.now()
    assert timedelta(hours=23) < due_in <= timedelta(hours=24)


@pytest.mark.django_db(transaction=True)
def test_daily_sweep_that_failed_or_died_is_due_again_within_the_hour():
    with patch(SELDOM, side_effect=RuntimeError):
        tick()

    assert SweepRun.objects.get(name=SELDOM).due_at < timezone.now() + timedelta(hours=1)


@pytest.mark.django_db(transaction=True)
def test_moment_that_a_wrong_clock_wrote_does_not_stop_a_sweep():
    tick()
    move(SELDOM, due_at=timezone.now() + timedelta(days=900))
    tick()

    assert ran.count("seldom") == 2


@pytest.mark.django_db(transaction=True)
def test_cron_that_is_a_little_early_does_not_miss_its_minute(settings):
    settings.SWEEPS = {OFTEN: 60}
    tick()
    with patch("django.utils.timezone.now", return_value=timezone.now() + timedelta(seconds=58)):
        tick()

    assert ran == ["often", "often"]


def test_beat_asks_at_once_and_each_minute_at_least():
    entry = beat_schedule({SELDOM: 86_400})[SELDOM]

    assert (entry["task"], entry["args"], entry["schedule"]) == ("core.tasks.run_sweep", [SELDOM], 60)
    assert entry["last_run_at"] < timezone.now() - timedelta(days=1)
    assert entry["options"]["retry"] is True  # or beat never connects again


class ClaimTests(TransactionTestCase):
    def claims(self) -> int:
        SweepRun.objects.create(name=OFTEN, due_at=timezone.now() - timedelta(seconds=1))
        return sum(map(bool, all_at_once(lambda _: sweeps.claim(OFTEN), range(4))))

    def test_of_four_who_ask_at_once_one_gets_it(self):
        assert self.claims() == 1

    def test_without_the_condition_all_of_them_get_it(self):
        with patch.object(SweepRunQuerySet, "update", look_then_write(Meeting(4))):
            assert self.claims() == 4


class OnTimeTests(TransactionTestCase):
    def run_until(self, condition):
        stop = threading.Event()
        thread = threading.Thread(target=sweeps.run_on_time, args=[stop], daemon=True)
        with patch.object(sweeps, "STEP", 0.02):
            thread.start()
            try:
                wait_until(condition)
            finally:
                stop.set()
                thread.join()

    def test_each_sweep_keeps_its_own_pace(self):
        with patch.dict("django.conf.settings.SWEEPS", {OFTEN: 0}):
            self.run_until(lambda: ran.count("often") >= 3)

        assert ran.count("seldom") == 1

    def test_slow_sweep_delays_no_other(self):
        is_done = threading.Event()
        with patch(BROKEN, is_done.wait), patch.dict("django.conf.settings.SWEEPS", {OFTEN: 0}):
            self.run_until(lambda: ran.count("often") >= 3 and (is_done.set() or True))

    def test_database_that_was_away_for_a_moment_stops_nothing(self):
        answers = chain([InterfaceError("gone")], repeat({}.items()))
        with patch.object(SweepRun.objects, "values_list", side_effect=answers):
            self.run_until(lambda: "often" in ran)


@pytest.mark.django_db(transaction=True)
def test_check_names_the_sweeps_that_nobody_runs():
    with pytest.raises(CommandError, match="often"):
        call_command("check_sweeps")

    tick("--now")
    call_command("check_sweeps", stdout=StringIO())

    move(SELDOM, due_at=timezone.now() - timedelta(minutes=11))
    with pytest.raises(CommandError, match="seldom"):
        call_command("check_sweeps")


@pytest.mark.django_db(transaction=True)
def test_sweep_that_never_ran_is_overdue_for_ever():
    run = SweepRun(name=OFTEN, due_at=timezone.now() + timedelta(hours=1))

    assert sweeps.seconds_overdue(None, timezone.now()) == math.inf
    assert sweeps.seconds_overdue(run, timezone.now()) == math.inf
    run.ended_at = timezone.now()
    assert sweeps.seconds_overdue(run, timezone.now()) == 0


def test_row_that_fails_does_not_keep_the_others_waiting_and_is_told_at_the_end():
    done = []

    def act(row):
        if row == 2:
            raise ValueError("torn")
        done.append(row)

    with pytest.raises(SomeFailed, match="act failed for 1, first for 2"):
        each(act, [1, 2, 3])

    assert done == [1, 3]


@pytest.mark.django_db(transaction=True)
def test_sqlite_learns_how_its_rows_are_spread():
    from core.tasks import refresh_statistics

    refresh_statistics()

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")
            assert cursor.fetchone() == (1,)


class SweepRunTests(TransactionTestCase):
    def test_a_sweep_is_noted_however_it_ends(self):
        with override_settings(SWEEPS={"no.such.sweep": 1, "mail.tasks.sweep_outbox": 1}):
            sweeps.run(settings.SWEEPS)

        found = dict(SweepRun.objects.values_list("name", "has_failed"))
        assert found == {"no.such.sweep": True, "mail.tasks.sweep_outbox": False}

    def test_staff_sees_when_a_sweep_last_ended(self):
        sweeps.note("mail.tasks.sweep_outbox", has_failed=False)
        self.client.force_login(make_user("staff", staff=True))

        self.assertContains(self.client.get(reverse("admin:core_sweeprun_changelist")), "mail.tasks.sweep_outbox")
        assert self.client.get(reverse("admin:core_sweeprun_add")).status_code == 403
