"""Looking again until something is so, but not so often that the looking slows down what is waited for."""

import time
from collections.abc import Callable

from core.tests.waiting import wait_until

PAUSE = 0.2  # seconds between two looks


def eventually(condition: Callable[[], object]) -> None:
    def look() -> bool:
        if condition():
            return True
        time.sleep(PAUSE)
        return False

    wait_until(look)
