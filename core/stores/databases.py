"""
What DATABASES says: SQLite or PostgreSQL, and a replica of the latter.

Read by settings.py, so it imports nothing of Django that needs settings.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dj_database_url
import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import InterfaceError, InternalError, OperationalError

POSTGRESQL = "django.db.backends.postgresql"


def databases_in(url: str, *, replica_url: str, is_pooled: bool, test_file: Path) -> dict[str, dict[str, Any]]:
    """Return DATABASES, or raise ImproperlyConfigured for a replica of something that cannot have one."""
    default = _sqlite(url, test_file) if url.startswith("sqlite") else _postgresql(url, is_pooled=is_pooled)
    if not replica_url:
        return {"default": default}
    replica = _postgresql(replica_url, is_pooled=is_pooled)
    if {default["ENGINE"], replica["ENGINE"]} != {POSTGRESQL}:
        raise ImproperlyConfigured("DATABASE_REPLICA_URL needs PostgreSQL, and DATABASE_URL to name its primary.")
    # A page waits two seconds at most, once, for a replica that is away.
    impatient = {**replica.get("OPTIONS", {}), "connect_timeout": 2, "tcp_user_timeout": 2000}
    return {"default": default, "replica": {**replica, "OPTIONS": impatient, "TEST": {"MIRROR": "default"}}}


def _sqlite(url: str, test_file: Path) -> dict[str, Any]:
    # IMMEDIATE: 200 parallel buyers gave 188 "database is locked" with Django's default and none with this.
    # FULL: a committed order survives a power cut; NORMAL may lose the last commits in WAL mode.
    options = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    return {**dj_database_url.parse(url), "CONN_MAX_AGE": None, "OPTIONS": options, "TEST": {"NAME": str(test_file)}}


def _postgresql(url: str, *, is_pooled: bool) -> dict[str, Any]:
    given = dj_database_url.parse(url)
    return {
        **given,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # Five seconds for a server that does not take us, ten for one whose machine has vanished with our question.
        "OPTIONS": {"connect_timeout": 5, "tcp_user_timeout": 10_000, **given.get("OPTIONS", {})},
        # A pooler that lends a connection for one transaction (PgBouncer) leaves nothing behind on it, such as a cursor.
        # Nothing else here lives longer than a transaction: no prepared statement, no SET, no advisory lock, no LISTEN.
        "DISABLE_SERVER_SIDE_CURSORS": is_pooled,
    }


class Silent(psycopg.OperationalError):
    """Raised when the server has said nothing for too long to what it was asked."""


def expect_answers(connection: psycopg.Connection[Any], seconds: float) -> None:
    """
    Give up on a server that hangs in the middle of a statement, and on the connection with it.

    No option of libpq does: they find a machine that has vanished, but while a stopped server's machine is up, its
    kernel goes on taking what is sent. And `statement_timeout` is kept by the very process that hangs.
    """
    wait = connection.wait

    def wait_for_answer(asked: Any, interval: float = 0.1, timeout: float | None = seconds) -> Any:
        try:
            return wait(asked, interval, timeout)
        except psycopg.OperationalError as error:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
                raise
            connection.close()  # an answer that comes yet belongs to nobody
            raise Silent(f"the server has not answered for {seconds} s") from error

    connection.wait = wait_for_answer  # type: ignore[method-assign,assignment]


READ_ONLY = "25006"  # PostgreSQL's code for a write to a server that only follows, as in the middle of a switch-over


def is_away(error: BaseException | None) -> bool:
    """
    Tell whether the error, or the one that it came of, is that the database cannot do its work at the moment.

    The connection is refused or lost, the disk is full or read-only, SQLite's file locked. A transaction that goes on
    after such an error raises another one, and so does Django when it cannot save a session.
    """
    return any(
        isinstance(each, OperationalError | InterfaceError)
        or (isinstance(each, InternalError) and getattr(each.__cause__, "sqlstate", "") == READ_ONLY)
        for each in _chain(error)
    )


def is_silent(error: BaseException | None) -> bool:
    """Tell whether the server let us wait, for a connection or an answer: whoever comes next would wait as long."""
    return any(isinstance(each, Silent | psycopg.errors.ConnectionTimeout) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and those that it came of."""
    seen: set[int] = set()  # errors that were raised twice may refer to each other
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
