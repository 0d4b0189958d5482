"""
Ends process groups when the program that started them has ended and could not: tools/run.py was killed outright.

Their numbers are the arguments. Whoever starts this holds the other end of its input, which closes with them.
"""

import os
import signal
import sys
import time
from contextlib import suppress

STOP_SECONDS = 10


def main() -> None:
    groups = [int(number) for number in sys.argv[1:]]
    sys.stdin.read()
    deadline = time.monotonic() + STOP_SECONDS
    left = [group for group in groups if sent(group, signal.SIGTERM)]
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = [group for group in left if sent(group, 0)]
    for group in left:
        sent(group, signal.SIGKILL)


def sent(group: int, signal_number: int) -> bool:
    """Send it to the group (0 only looks), and tell whether there was one."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal_number)
        return True
    return False


if __name__ == "__main__":
    main()
