"""
Where kept pages lie: a file that the web processes of this host share, so that what one has made all can hand out.

It is SQLite's, for many readers who wait for nobody, and a file that is whole whoever was killed. Another release's pages
never come back: whoever asks names who makes them (core/caching/pages.py). Whatever goes wrong, there is no kept page.
"""

import logging
import sqlite3
import threading
from pathlib import Path

MAX_BYTES = 256_000_000  # of disk: some 40,000 pages, more than most sites make in the ten minutes that one lives
PAGE_SIZE = 8192  # bytes, of SQLite's own pages: most of ours fit into one
SECONDS_TO_WRITE = 0.5  # that a process waits for another that is writing
OPENING = f"""
PRAGMA page_size = {PAGE_SIZE};
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA max_page_count = {{most}};
CREATE TABLE IF NOT EXISTS page (number INTEGER PRIMARY KEY, key TEXT UNIQUE, page BLOB);
"""

logger = logging.getLogger(__name__)


class PageStore:
    FILE = "pages-1.sqlite3"  # another table is another file: two releases share it during an upgrade

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = folder / self.FILE
        self._most = max_bytes // PAGE_SIZE
        self._of_thread = threading.local()

    def get(self, key: str) -> bytes | None:
        """Return what was put under the key. Never waits for a writer."""
        try:
            row = self._connection().execute("SELECT page FROM page WHERE key = ?", [key]).fetchone()
        except sqlite3.Error as error:
            self._go_on_without(error)
            row = None
        return row[0] if row else None

    def put(self, key: str, page: bytes) -> None:
        try:
            self._put(key, page)
        except sqlite3.Error as error:
            self._go_on_without(error)

    def _put(self, key: str, page: bytes) -> None:
        statement = "REPLACE INTO page (key, page) VALUES (?, ?)", [key, page]
        try:
            self._connection().execute(*statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            self._make_room()
            self._connection().execute(*statement)

    def _make_room(self) -> None:
        """Drop the oldest quarter, which is the next to be too old: a page's place in the file is when it was made."""
        self._connection().execute(
            "DELETE FROM page WHERE number <= (SELECT min(number) + (max(number) - min(number)) / 4 FROM page)"
        )

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=SECONDS_TO_WRITE, isolation_level=None)
            connection.executescript(OPENING.format(most=self._most))
            self._of_thread.connection = connection
        return connection

    def _go_on_without(self, error: sqlite3.Error) -> None:
        """The next request tries again, with a new file if this one is broken."""
        self._of_thread.connection = None
        logger.warning("Pages are not kept: %s", error)
        if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            for end in ("", "-wal", "-shm"):
                Path(f"{self._path}{end}").unlink(missing_ok=True)
