import threading
from io import StringIO
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config import sweeps

ran: list[str] = []


def often():
    ran.append("often")


def seldom():
    ran.append("seldom")


def broken():
    raise RuntimeError("the disk is full")


@pytest.fixture(autouse=True)
def our_sweeps(settings):
    ran.clear()
    settings.SWEEPS = {f"{__name__}.broken": 60, f"{__name__}.often": 0, f"{__name__}.seldom": 3600}


@pytest.mark.django_db
def test_tick_runs_every_sweep_and_tells_which_failed():
    with pytest.raises(CommandError, match="broken"):
        call_command("tick", stdout=StringIO())

    assert ran == ["often", "seldom"]


@pytest.mark.django_db
def test_each_sweep_keeps_its_own_pace():
    stop = threading.Event()

    def wait(seconds):
        if ran.count("often") == 3:
            stop.set()

    with patch.object(stop, "wait", wait):
        sweeps.run_on_time(stop)

    assert ran.count("seldom") == 1


@pytest.mark.django_db
def test_sqlite_learns_how_its_rows_are_spread():
    from config.tasks import refresh_statistics

    refresh_statistics()

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")
            assert cursor.fetchone() == (1,)
