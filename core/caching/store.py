"""
Where kept pages lie: a file that the web processes of this host share, so that what one has made all can hand out.

It is SQLite's, for many readers who wait for nobody, and a file that is whole whoever was killed. Another release's pages
never come back: whoever asks names who makes them (core/caching/pages.py). Whatever goes wrong, there is no kept page.
"""

import logging
import pickle
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

MAX_BYTES = 256_000_000  # of disk: some 40,000 pages, more than most sites make in the ten minutes that one lives
PAGE_SIZE = 8192  # bytes, of SQLite's own pages: most of ours fit into one
SECONDS_TO_WRITE = 0.5  # that a process waits for another that is writing
# A file that was cut off has no table, and no end of an I/O error where it was the log.
BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_IOERR)
OPENING = f"""
PRAGMA page_size = {PAGE_SIZE};
PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
PRAGMA max_page_count = {{most}};
CREATE TABLE IF NOT EXISTS page (number INTEGER PRIMARY KEY, key TEXT UNIQUE, page BLOB);
"""
# The oldest quarter goes, which is the next to be too old: a page's place in the file is when it was made.
MAKING_ROOM = "DELETE FROM page WHERE number <= (SELECT min(number) + (max(number) - min(number)) / 4 FROM page)"

logger = logging.getLogger(__name__)


class PageStore:
    FILE = "pages-1.sqlite3"  # another table is another file: two releases share it during an upgrade

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = folder / self.FILE
        self._most = max_bytes // PAGE_SIZE
        self._of_thread = threading.local()
        self._is_broken = False
        self._tried(self._to_write)

    def get(self, key: str) -> Any:
        """Return what was put under the key. Waits for nobody and makes no file: the event loop asks, too."""
        return self._tried(self._get, key)

    def put(self, key: str, page: object) -> None:
        self._tried(self._put, key, page)

    def _get(self, key: str) -> Any:
        row = self._connection("reading", 0, "").execute("SELECT page FROM page WHERE key = ?", [key]).fetchone()
        return pickle.loads(row[0][4:]) if row and row[0][:4] == mark_of(key, row[0][4:]) else None  # noqa: S301 - our own

    def _put(self, key: str, page: object) -> None:
        pickled = pickle.dumps(page)
        statement = "REPLACE INTO page (key, page) VALUES (?, ?)", [key, mark_of(key, pickled) + pickled]
        try:
            self._to_write().execute(*statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            self._to_write().execute(MAKING_ROOM)
            self._to_write().execute(*statement)

    def _to_write(self) -> sqlite3.Connection:
        if self._is_broken:
            self._is_broken = False
            self._of_thread.__dict__.clear()
            for end in ("", "-wal", "-shm"):
                Path(f"{self._path}{end}").unlink(missing_ok=True)
        return self._connection("writing", SECONDS_TO_WRITE, OPENING.format(most=self._most))

    def _connection(self, name: str, seconds: float, opening: str) -> sqlite3.Connection:
        connections: dict[str, sqlite3.Connection] = self._of_thread.__dict__
        if name not in connections:
            address = f"{self._path.absolute().as_uri()}?mode={'rwc' if opening else 'rw'}"
            connections[name] = sqlite3.connect(address, uri=True, timeout=seconds, isolation_level=None)
            for statement in opening.split(";"):
                connections[name].execute(statement)
        return connections[name]

    def _tried(self, act: Callable[..., Any], *arguments: object) -> Any:
        """Whatever goes wrong, there is no kept page. Whoever writes next makes a new file if this one is broken."""
        try:
            return act(*arguments)
        except Exception as error:
            self._of_thread.__dict__.clear()
            logger.warning("Pages are not kept: %s", error)
            self._is_broken |= getattr(error, "sqlite_errorcode", 0) & 0xFF in BROKEN


def mark_of(key: str, pickled: bytes) -> bytes:
    """Return by what it is known that this was put under that key: SQLite does not notice each broken page of its file."""
    return crc32(pickled, crc32(key.encode())).to_bytes(4)
