"""CPU time: of calls in this process, the least of several blocks in which the contenders take turns; of a server."""

import os
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

BLOCKS, SECONDS_A_BLOCK = 6, 0.05


def call(application: Callable[..., Any], address: str, cookie: str = "") -> bytes:
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000",
        "HTTP_HOST": "127.0.0.1:8000", "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(), "wsgi.errors": BytesIO(), "wsgi.multithread": True, "HTTP_USER_AGENT": "bench", "HTTP_ACCEPT_ENCODING": "gzip",
    }  # fmt: skip
    environ |= {"HTTP_COOKIE": cookie} if cookie else {}
    response = application(environ, lambda status, headers, exc_info=None: check(status, address))
    body = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    return body


def check(status: str, address: str) -> None:
    if not status.startswith("200"):
        raise RuntimeError(f"{address}: {status}")


def interleave(
    contenders: dict[Any, Callable[[], Any]], before: dict[Any, Callable[[], Any]] | None = None
) -> dict[Any, float]:
    """Return the least CPU seconds a call; what is in `before` runs before each call of its contender and is not counted."""
    best = dict.fromkeys(contenders, float("inf"))
    for _block in range(BLOCKS):
        for name, act in contenders.items():
            best[name] = min(best[name], _mean(act, (before or {}).get(name)))
    return best


def _mean(act: Callable[[], Any], before: Callable[[], Any] | None) -> float:
    """Return the mean of a block; infinity when there is nothing left to call (StopIteration)."""
    spent, calls = 0.0, 0
    try:
        act()  # not counted: what is kept for seconds only has aged while the others took their turns
        while spent < SECONDS_A_BLOCK:
            if before:
                before()
            begun = time.process_time()
            act()
            spent += time.process_time() - begun
            calls += 1
    except StopIteration:
        pass
    return spent / calls if calls else float("inf")


def group_cpu(leader: int) -> float:
    """Return the CPU seconds that a group of processes has spent so far; the kernel counts in 10 ms."""
    found = map(_group_and_ticks, (stat.parent.name for stat in Path("/proc").glob("[0-9]*/stat")))
    return sum(ticks for group, ticks in found if group == leader) / os.sysconf("SC_CLK_TCK")


def processes_cpu(ids: list[int]) -> float:
    """Return the CPU seconds that these processes have spent so far; nothing for those of another machine."""
    return sum(_group_and_ticks(str(number))[1] for number in ids) / os.sysconf("SC_CLK_TCK")


def _group_and_ticks(process: str) -> tuple[int, int]:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0
    return int(fields[2]), int(fields[11]) + int(fields[12])
