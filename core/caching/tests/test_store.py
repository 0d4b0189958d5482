import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest

from core.caching import store
from core.caching.store import PageStore
from core.tests.waiting import wait_until

PAGE = bytes(range(256)) * 20
WRITING = """
import sys
from itertools import count
from pathlib import Path
from core.caching.store import PageStore
kept = PageStore(Path(sys.argv[1]))
for number in count():
    kept.put(str(number % 50), bytes([number % 256]) * 9000)
"""


@pytest.fixture
def kept(tmp_path):
    return PageStore(tmp_path)


def test_what_was_put_last_is_found(kept, tmp_path):
    for page in (b"old", PAGE):
        kept.put("a", page)

    assert kept.get("a") == PageStore(tmp_path).get("a") == PAGE
    assert kept.get("b") is None


def test_each_thread_asks_for_itself(kept):
    kept.put("a", PAGE)
    found = []
    thread = threading.Thread(target=lambda: found.append(kept.get("a")))
    thread.start()
    thread.join()

    assert found == [PAGE]


def test_it_takes_no_more_room_than_it_may_and_the_oldest_go(tmp_path):
    kept = PageStore(tmp_path, max_bytes=500_000)
    for number in range(300):
        kept.put(str(number), PAGE)

    assert (tmp_path / PageStore.FILE).stat().st_size <= 500_000
    assert kept.get("0") is None
    assert [kept.get(str(number)) for number in (280, 299)] == [PAGE, PAGE]


def test_a_page_that_is_made_anew_is_not_the_oldest(tmp_path):
    kept = PageStore(tmp_path, max_bytes=500_000)
    for number in range(300):
        kept.put(str(number), PAGE)
        if number % 10 == 0:
            kept.put("often", PAGE)

    assert kept.get("often") == PAGE


def test_a_page_larger_than_the_room_is_not_kept(tmp_path):
    kept = PageStore(tmp_path, max_bytes=100_000)
    kept.put("a", PAGE)
    kept.put("large", PAGE * 100)

    assert kept.get("large") is None


def test_whoever_reads_waits_for_no_writer(kept, tmp_path):
    kept.put("a", PAGE)
    writer = PageStore(tmp_path)._to_write()
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM page")

    assert kept.get("a") == PAGE
    with patch.object(store, "SECONDS_TO_WRITE", 0):
        PageStore(tmp_path).put("b", PAGE)  # not kept, and nobody minds
    writer.execute("ROLLBACK")
    assert kept.get("b") is None


def test_a_broken_file_is_replaced(tmp_path):
    (tmp_path / PageStore.FILE).write_bytes(b"no database" * 1000)
    kept = PageStore(tmp_path)

    assert kept.get("a") is None
    kept.put("a", PAGE)
    assert kept.get("a") == PAGE


def test_a_file_that_breaks_under_two_processes_is_replaced_for_both(kept, tmp_path):
    other = PageStore(tmp_path)
    for number in range(50):
        kept.put(str(number), PAGE)
    assert other.get("49") == PAGE
    kept._to_write().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (tmp_path / PageStore.FILE).write_bytes(b"\0" * 100_000)

    for number in range(100, 110):
        for process in (kept, other):
            process.get("7")
            process.put(str(number), PAGE)

    assert PageStore(tmp_path).get("109") == PAGE


@pytest.mark.parametrize("end", ["", "-wal"])
def test_a_file_that_is_cut_off_under_two_processes_is_replaced_for_both(kept, tmp_path, end):
    other = PageStore(tmp_path)
    for number in range(50):
        kept.put(str(number), PAGE)
    assert other.get("49") == PAGE
    os.truncate(tmp_path / f"{PageStore.FILE}{end}", 0)

    for number in range(100, 110):
        for process in (kept, other):
            process.get("7")
            process.put(str(number), PAGE)

    assert kept.get("109") == other.get("109") == PageStore(tmp_path).get("109") == PAGE


@pytest.mark.parametrize("broken", [b"", b"no page", None])
def test_what_is_no_page_is_not_found(kept, broken):
    kept.put("a", PAGE)
    kept._to_write().execute("UPDATE page SET page = ?", [broken])

    assert kept.get("a") is None
    kept.put("a", PAGE)
    assert kept.get("a") == PAGE


def test_another_keys_page_is_not_found(kept):
    """The file may be broken where SQLite does not notice, such as an index that points to the wrong row."""
    kept.put("a", PAGE)
    kept._to_write().execute("UPDATE page SET key = 'b'")

    assert kept.get("b") is None


def test_what_cannot_be_pickled_is_not_kept(kept):
    kept.put("a", lambda: None)

    assert kept.get("a") is None


def test_whoever_reads_waits_for_nobody_who_has_the_file_for_himself(kept, tmp_path):
    (tmp_path / PageStore.FILE).unlink()
    with closing(sqlite3.connect(tmp_path / PageStore.FILE, isolation_level=None)) as alone:
        alone.execute("BEGIN EXCLUSIVE")
        with patch.object(store, "SECONDS_TO_WRITE", 100):
            assert kept.get("a") is None


def test_whoever_reads_makes_no_file(tmp_path):
    kept = PageStore(tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()

    assert kept.get("a") is None
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_that_nobody_may_remove_means_no_kept_pages(tmp_path):
    (tmp_path / PageStore.FILE).write_bytes(b"no database" * 1000)
    kept = PageStore(tmp_path)
    with patch.object(Path, "unlink", side_effect=PermissionError):
        kept.put("a", PAGE)
        assert kept.get("a") is None


def test_a_folder_that_is_gone_means_no_kept_pages(tmp_path):
    kept = PageStore(tmp_path / "gone")
    kept.put("a", PAGE)

    assert kept.get("a") is None


def test_it_is_whole_after_a_writer_was_killed(kept, tmp_path):
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITING, str(tmp_path)])
        wait_until(lambda: kept.get("49"))
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        pages = [kept.get(str(number)) for number in range(50)]
        assert all(page and len(page) == 9000 and len(set(page)) == 1 for page in pages)
        kept.put("a", PAGE)
        assert kept.get("a") == PAGE
        kept._to_write().execute("DELETE FROM page")
