"""
How often things were done, counted in a file of this host: for limits, where there is no Redis or it is away.

A file of its own beside the database: all processes of the host count together, a count costs no transaction of the
site's, and nothing that a visitor sends can push another's count out before its time, as it could in a cache. When the
file is full, newcomers go uncounted; those in it are counted on.
"""

import logging
import os
import sqlite3
import threading
import time
from hashlib import blake2b
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

MOST_PAGES = 16_384  # of 4 KiB: room for about a million counts
SECONDS_BETWEEN_CLEANINGS = 600

SET_UP = [
    "PRAGMA journal_mode = WAL",
    f"PRAGMA max_page_count = {MOST_PAGES}",
    "CREATE TABLE IF NOT EXISTS counts (name BLOB PRIMARY KEY, number INTEGER, until REAL) WITHOUT ROWID",
    "PRAGMA synchronous = OFF",  # what a power cut loses are counts: not worth waiting for the disk
]
COUNT = """
INSERT INTO counts (name, number, until) VALUES (:name, 1, :until)
ON CONFLICT (name) DO UPDATE SET
    number = CASE WHEN until <= :now THEN 1 ELSE number + 1 END,
    until = CASE WHEN until <= :now THEN :until ELSE until END
RETURNING number
"""

_mine = threading.local()
_cleaned_at = 0.0


def count(name: str, seconds: int) -> int:
    """
    Count one more and return how many there were since the window began, which ends `seconds` after its first.

    Returns 1 when the file cannot be written: people are let through rather than kept out.
    """
    now = time.time()
    # Hashed: names hold addresses, and all take the same room.
    values = {"name": blake2b(name.encode(), digest_size=16).digest(), "now": now, "until": now + seconds}
    try:
        _clean(now)
        return int(_file().execute(COUNT, values).fetchall()[0][0])
    except sqlite3.Error as error:
        logger.warning("A limit was not counted: %s", error)
        _begin_anew(error)
        return 1


def forget_all() -> None:
    """For tests."""
    _file().execute("DELETE FROM counts")


def _path() -> Path:
    return settings.VAR_DIR / "limits.sqlite3"


def _file() -> sqlite3.Connection:
    """Return this thread's connection; none may be carried into a forked child."""
    if getattr(_mine, "owner", None) != (os.getpid(), _path()):
        file = sqlite3.connect(_path(), timeout=2, isolation_level=None)
        for statement in SET_UP:
            file.execute(statement)
        _mine.file, _mine.owner = file, (os.getpid(), _path())
    mine: sqlite3.Connection = _mine.file
    return mine


def _clean(now: float) -> None:
    global _cleaned_at
    if not 0 <= now - _cleaned_at < SECONDS_BETWEEN_CLEANINGS:
        _cleaned_at = now
        _file().execute("DELETE FROM counts WHERE until <= ?", [now])


def _begin_anew(error: sqlite3.Error) -> None:
    """Remove a file that a power cut has spoilt; one that is full, locked or not ours to write stays."""
    if not isinstance(error, sqlite3.OperationalError):
        _mine.owner = None
        for end in ("", "-wal", "-shm"):
            _path().with_name(_path().name + end).unlink(missing_ok=True)
