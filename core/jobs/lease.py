"""
A short lease on a row, renewed for as long as its holder lives.

What a killed process had in hand is due again within seconds, and what a slow one has in hand is not done twice. The
row's `lease_until` says until when it is taken; whoever claims it by a conditional update writes `lease_end()` there.
"""

import logging
import threading
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError, connections
from django.db.models import QuerySet
from django.utils import timezone

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
PACE = timedelta(seconds=5)  # so that a renewal or two may fail, or a busy machine be late with one


class LostLease(Exception):
    """Raised when the row is somebody else's by now: this process stood still for too long."""


def lease_end() -> datetime:
    return timezone.now() + LEASE


class Lease:
    """Held in a `with` block, at whose end `row` still finds the row, unless the lease was lost."""

    def __init__(self, rows: QuerySet[Any], until: datetime) -> None:
        self._rows, self._until = rows, until
        self._renewing = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew_until_ended, name="lease", daemon=True)

    @property
    def row(self) -> QuerySet[Any]:
        """The row while nobody else has claimed it."""
        return self._rows.filter(lease_until=self._until)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def hold(self) -> None:
        """Make sure of the lease before what must not be done twice; raises LostLease."""
        if not self._renew():
            raise LostLease

    def _renew(self) -> bool:
        with self._renewing:
            until = lease_end()
            if not self.row.update(lease_until=until):
                return False
            self._until = until
            return True

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(PACE.total_seconds()):
            try:
                if not self._renew():
                    break
            except DatabaseError as error:
                logger.warning("A lease could not be renewed: %s", error)
                connections.close_all()  # this thread's
        connections.close_all()
