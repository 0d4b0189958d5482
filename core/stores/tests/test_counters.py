import multiprocessing
import sqlite3
import threading
from unittest.mock import patch

import pytest
import time_machine

from core.stores import counters

MANY = 2000


def test_nothing_that_others_do_pushes_a_count_out():
    counters.count("alice", 60)
    for number in range(MANY):
        counters.count(f"somebody else {number}", 60)

    assert counters.count("alice", 60) == 2


def test_what_is_over_is_dropped_from_the_file():
    with time_machine.travel(1_700_000_000, tick=False) as clock:
        for number in range(10):
            counters.count(str(number), 60)
        clock.shift(counters.SECONDS_BETWEEN_CLEANINGS)
        counters.count("alice", 60)

    assert counters._file().execute("SELECT count(*) FROM counts").fetchall() == [(1,)]


def test_file_that_is_full_goes_on_counting_those_in_it(caplog):
    counters.forget_all()
    counters.count("alice", 60)
    counters._file().execute("VACUUM")
    pages = counters._file().execute("PRAGMA page_count").fetchall()[0][0]
    counters._file().execute(f"PRAGMA max_page_count = {pages}")
    try:
        numbers = [counters.count(f"newcomer {number}", 60) for number in range(1000)]
        again = counters.count("newcomer 999", 60)
        assert counters.count("alice", 60) == 2
    finally:
        counters._file().execute(f"PRAGMA max_page_count = {counters.MOST_PAGES}")

    assert set(numbers) == {1}
    assert again == 1
    assert "was not counted" in caplog.text


def test_spoilt_file_is_begun_anew(caplog):
    counters.count("alice", 60)
    with patch.object(counters, "_clean", side_effect=sqlite3.DatabaseError("file is not a database")):
        assert counters.count("alice", 60) == 1

    assert [counters.count("alice", 60), counters.count("alice", 60)] == [1, 2]


def test_threads_count_together():
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.extend(counters.count("alice", 60) for _ in range(25)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(numbers) == list(range(1, 201))


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_processes_of_one_host_count_together():
    counters.count("alice", 60)
    child = multiprocessing.get_context("fork").Process(target=counters.count, args=("alice", 60))
    child.start()
    child.join(60)

    assert child.exitcode == 0
    assert counters.count("alice", 60) == 3
