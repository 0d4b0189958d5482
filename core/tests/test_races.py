"""The crowd that other tests send at our code has to fail loudly itself."""

from threading import Event

import pytest
from django.test import SimpleTestCase

from core.tests.races import Meeting, all_at_once, race

from . import races


class RaceTests(SimpleTestCase):
    def test_answers_come_in_the_order_of_the_people(self):
        assert all_at_once(str.upper, "abc") == ["A", "B", "C"]

    def test_errors_are_handed_back_or_raised(self):
        def refuse(number):
            raise KeyError(number)

        assert {error.args for error in race(refuse, 3)} == {(0,), (1,), (2,)}
        with pytest.raises(KeyError):
            all_at_once(refuse, range(3))

    def test_nobody_writes_before_everybody_has_read(self):
        rows, seen = [], []
        look = Meeting(5).after(lambda: len(rows))

        def act(number):
            seen.append(look())
            rows.append(number)

        assert race(act, 5) == []
        assert (seen, len(rows)) == ([0] * 5, 5)

    def test_more_threads_than_a_database_takes_are_refused(self):
        with pytest.raises(AssertionError, match="21 threads are more than 20"):
            race(lambda number: None, 21)


def test_meeting_that_somebody_misses_says_so(monkeypatch):
    monkeypatch.setattr(races, "MEETING_SECONDS", 0.05)

    with pytest.raises(AssertionError, match="fewer than 2 threads came"):
        Meeting(2).wait()


def test_thread_that_hangs_is_reported_with_its_place(monkeypatch):
    monkeypatch.setattr(races, "PATIENCE_SECONDS", 0.05)
    over = Event()

    with pytest.raises(AssertionError, match=r"(?s)1 of 2 threads hang, at:.*over\.wait"):
        race(lambda number: number or over.wait(), 2)
    over.set()
