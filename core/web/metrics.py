"""
Figures for Prometheus at /metrics, for whoever knows METRICS_TOKEN; without that setting nothing is counted at all.

What processes count (requests, queries) lies in memory-mapped files in METRICS_DIR, one set for each process of this
host, and an answer adds them up. A process takes the lowest number that is free, and the counts that go with it: one
that ends leaves them to its successor, so they neither fall nor pile up. What the database knows (mails, orders,
sweeps) is asked when Prometheus asks, and is the same on every host.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from .middleware import NextLayer

PATH = "/metrics"
SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
# A request may name any method; each that was kept apart would be kept for ever.
METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}

_asked = threading.local()  # what this thread has asked the databases, {alias: [queries, seconds]}


def measure(get_response: "NextLayer") -> "NextLayer":
    """Count and time the request, and answer /metrics: out here, where no host name or https is asked for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == PATH and may_see(request):
            return HttpResponse(exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")
        began = time.perf_counter()
        _asked.by_alias = {}
        response = get_response(request)
        note(request, response, time.perf_counter() - began)
        return response

    return middleware


def may_see(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.METRICS_TOKEN}"
    return bool(settings.METRICS_TOKEN) and constant_time_compare(request.headers.get("Authorization", ""), expected)


def note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    view = request.resolver_match.view_name if request.resolver_match else ""
    method = request.method if request.method in METHODS else "other"
    meters().requests.labels(view, method, f"{response.status_code // 100}xx").observe(seconds)
    response.view_name = view  # type: ignore[attr-defined]
    for alias, (queries, took) in _asked.by_alias.items():
        meters().queries.labels(alias).inc(queries)
        meters().query_seconds.labels(alias).inc(took)


def count_hit(view: str) -> None:
    """Count a kept page that was handed out."""
    if settings.METRICS_TOKEN:
        meters().hits.labels(view).inc()


def time_query(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001
    began = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        by_alias = getattr(_asked, "by_alias", None)
        if by_alias is not None:
            asked = by_alias.setdefault(context["connection"].alias, [0, 0.0])
            asked[0] += 1
            asked[1] += time.perf_counter() - began


def watch_connection(*, connection: Any, **kwargs: Any) -> None:
    """Receive Django's connection_created."""
    if settings.METRICS_TOKEN and time_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(time_query)


# --- What processes count ------------------------------------------------------------------------------------------


@cache
def meters() -> SimpleNamespace:
    """Make the counters with the first request: a command that counts nothing takes no number and writes no file."""
    settings.METRICS_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.METRICS_DIR)
    values.ValueClass = values.MultiProcessValue(process_number)
    mine: dict[str, Any] = {"registry": CollectorRegistry()}
    return SimpleNamespace(
        requests=Histogram(
            "atelier_request_seconds",
            "Requests that Django answered, and how long it took.",
            ["view", "method", "status"],
            buckets=SECONDS,
            **mine,
        ),
        hits=Counter("atelier_page_cache_hits", "Requests answered with a page kept in memory.", ["view"], **mine),
        queries=Counter("atelier_database_queries", "Statements that requests sent.", ["database"], **mine),
        query_seconds=Counter("atelier_database_seconds", "Time requests waited for them.", ["database"], **mine),
    )


_number: int | None = None
_lock: int | None = None  # a file descriptor, held as long as this process lives


def process_number() -> int:
    global _number, _lock
    if _number is None:
        _number, _lock = take_number()
    return _number


def take_number() -> tuple[int, int]:
    """Return the lowest number that no living process of this host has, and the lock that keeps it."""
    for number in count():
        lock = os.open(settings.METRICS_DIR / f"{number}.lock", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return number, lock
    raise AssertionError  # count() does not end


def _forget_number() -> None:
    global _number, _lock
    if _lock is not None:
        os.close(_lock)  # the parent's; its own end is still open
    _number = _lock = None


os.register_at_fork(after_in_child=_forget_number)

# --- What Prometheus is told ---------------------------------------------------------------------------------------

_gauges: list[Callable[[], Iterable[Metric]]] = []


def register_gauge(gauge: Callable[[], Iterable[Metric]]) -> None:
    """Ask `gauge` for its figures, from the database, whenever Prometheus asks (config/gauges.py)."""
    _gauges.append(gauge)


def exposition() -> bytes:
    meters()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(settings.METRICS_DIR))
    registry.register(RowsCollector())
    return generate_latest(registry)


class RowsCollector:
    """What waits in the database. Each host reports the same: Prometheus takes max() of them, not sum()."""

    def collect(self) -> Iterator[Metric]:
        is_up = GaugeMetricFamily("atelier_database_up", "Whether the database answered this scrape.")
        try:
            yield from [metric for gauge in _gauges for metric in gauge()]
            is_up.add_metric([], 1)
        except Error:
            is_up.add_metric([], 0)
        yield is_up
