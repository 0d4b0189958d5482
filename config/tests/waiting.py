"""Waiting for what another thread or process does: until it is so, however slow the machine, and not for ever."""

import time
from collections.abc import Callable

SECONDS = 100  # only what is broken takes that long; pytest's own limit, which says less, comes later


def wait_until(condition: Callable[[], object], *, alive: Callable[[], bool] = lambda: True) -> None:
    """Return as soon as the condition holds; fail when it does not come true, or cannot as what should do it is dead."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert alive(), "what this waits for has ended"
        assert time.monotonic() < deadline, f"it did not come true within {SECONDS} seconds"
        time.sleep(0.02)
