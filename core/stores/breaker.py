"""A circuit breaker: a service that has failed is left alone for a while, so that one that hangs holds nobody up twice."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")
D = TypeVar("D")


class Breaker:
    """
    One for each service in a process, shared by all who ask it.

    While all is well everybody may ask. After an error nobody does for `rest` seconds; then one caller tries, and the
    others go on without until that one has an answer.
    """

    def __init__(self, name: str, errors: tuple[type[Exception], ...], *, rest: float) -> None:
        self.name, self._errors, self._rest = name, errors, rest
        self._lock = threading.Lock()
        self._retry_at: float | None = None  # None: all is well

    def call(self, act: Callable[[], T], default: D) -> T | D:
        """Return what `act` returns, or the default when it failed or the service is being left alone."""
        if not self._may_ask():
            return default
        try:
            answer = act()
        except self._errors as error:
            logger.warning("%s is away and left alone for %s s: %s", self.name, self._rest, error)
            self._retry_at = time.monotonic() + self._rest
            return default
        self._retry_at = None
        return answer

    def _may_ask(self) -> bool:
        if self._retry_at is None:
            return True
        with self._lock:
            now = time.monotonic()
            if self._retry_at is not None and now < self._retry_at:
                return False
            self._retry_at = now + self._rest  # the others wait for what this one finds out
            return True

    def forget(self) -> None:
        """Ask again at once; for tests."""
        self._retry_at = None
