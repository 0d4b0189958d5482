"""
Which requests may read from the replica, and whether it is close enough behind the primary to be read.

Whoever has written reads from the primary for PINNED_SECONDS, told by a cookie; the replica is used only while it is
known to be less than MAX_LAG behind. Because the first is longer than the second, nobody misses what they just did.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse

from core.web.middleware import NextLayer

from .pages import PINNED_COOKIE, key_of
from .routers import REPLICA, Reading, reading

logger = logging.getLogger(__name__)

MAX_LAG = 5.0
CHECK_SECONDS = 2.0
REST_SECONDS = 10.0  # how long a replica that failed is left alone
PINNED_SECONDS = 10  # more than MAX_LAG + CHECK_SECONDS

PRIMARY_POSITION = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"
# Nothing when it is no replica any more: one that was promoted is another site.
REPLICA_POSITION = "SELECT pg_last_wal_replay_lsn() - '0/0'::pg_lsn WHERE pg_is_in_recovery()"


class Replica:
    """
    What this process knows of the replica, asked again every CHECK_SECONDS by whichever request comes first.

    No clock of another machine is believed: the primary's position in its log is noted here, and a replica that has
    replayed what we noted four seconds ago is at most four seconds behind.
    """

    def __init__(self) -> None:
        self._positions: deque[tuple[float, int]] = deque()
        self._asking = threading.Lock()
        self._ask_at = 0.0
        self._is_close = False

    def is_close(self) -> bool:
        if time.monotonic() < self._ask_at:
            return self._is_close
        if not self._asking.acquire(blocking=False):
            return False  # another thread is about to know
        try:
            self._ask()
        except Error:
            self._is_close = False  # the primary is away, which the page will notice itself
        finally:
            self._asking.release()
        return self._is_close

    def failed(self, error: Exception) -> None:
        logger.warning("the replica is not used for %s s: %s", REST_SECONDS, error)
        self._is_close, self._ask_at = False, time.monotonic() + REST_SECONDS
        connections[REPLICA].close()

    def _ask(self) -> None:
        now = time.monotonic()
        primary = position(DEFAULT_DB_ALIAS, PRIMARY_POSITION)
        try:
            replayed = position(REPLICA, REPLICA_POSITION)
        except Error as error:
            self.failed(error)
            return
        self._ask_at = now + CHECK_SECONDS
        self._positions.append((now, primary or 0))
        while now - self._positions[0][0] > MAX_LAG - CHECK_SECONDS:
            self._positions.popleft()
        was_close, self._is_close = self._is_close, replayed is not None and replayed >= self._positions[0][1]
        if was_close and not self._is_close:
            logger.warning("the replica is too far behind and is not used")


def position(alias: str, question: str) -> int | None:
    with connections[alias].cursor() as cursor:
        cursor.execute(question)
        row: tuple[int | None] | None = cursor.fetchone()
    return row[0] if row else None


replica = Replica()


def read_from_replica(get_response: NextLayer) -> NextLayer:
    """Let harmless pages read from the replica, make them again from the primary when it fails, pin who has written."""

    def middleware(request: HttpRequest) -> HttpResponse:
        state = Reading()
        request.reading = state  # type: ignore[attr-defined]
        with reading(state):
            response = get_response(request)
        if state.has_written or request.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
            is_secure = settings.SESSION_COOKIE_SECURE
            response.set_cookie(PINNED_COOKIE, "1", PINNED_SECONDS, secure=is_secure, httponly=True, samesite="Lax")
        return response

    def process_view(request: HttpRequest, view: Callable[..., HttpResponse], *_: Any) -> None:
        request.reading.may_be_stale = may_be_stale(request, view) and replica.is_close()  # type: ignore[attr-defined]

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        state = request.reading  # type: ignore[attr-defined]
        if not (state.has_used_replica and isinstance(exception, OperationalError | InterfaceError)):
            return None
        replica.failed(exception)
        state.may_be_stale = state.has_used_replica = False
        found = request.resolver_match
        try:
            return found.func(request, *found.args, **found.kwargs) if found else None
        except (OperationalError, InterfaceError):
            return None  # the primary is away as well: the next layer says so

    middleware.process_view = process_view  # type: ignore[attr-defined]
    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def may_be_stale(request: HttpRequest, view: Callable[..., HttpResponse]) -> bool:
    if request.method not in ("GET", "HEAD") or PINNED_COOKIE in request.COOKIES:
        return False
    if getattr(view, "is_cached", False) and key_of(request.META) is not None:
        return False
    return getattr(view, "may_lag", False)
