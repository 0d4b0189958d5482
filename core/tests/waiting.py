"""Waiting for what another thread or process does: until it is so, however slow the machine, and not for ever."""

import subprocess
import time
from collections.abc import Callable

SECONDS = 200  # only what is broken takes that long; pytest's own limit, which says less, comes later


def wait_until(condition: Callable[[], object], process: subprocess.Popen[bytes] | None = None) -> None:
    """Return as soon as the condition holds; fail when it does not, or when the process that should see to it ends."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert process is None or process.poll() is None, f"the process ended with {process and process.returncode}"
        assert time.monotonic() < deadline, f"it did not come true within {SECONDS} seconds"
        time.sleep(0.02)
