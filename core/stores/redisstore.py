"""
The one way to Redis: the cache, view counts, rankings, who bought what together, what other hosts are told.

Whoever asks goes through one breaker, so that a Redis that hangs costs a process REDIS_TIMEOUT once in five seconds,
however many questions a page has.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from .breaker import Breaker

T = TypeVar("T")

breaker = Breaker("Redis", (RedisError, OSError), rest=5.0)


def is_configured() -> bool:
    return bool(settings.REDIS_URL)


def ask(act: Callable[[Any], T]) -> T | None:
    """Return what `act` gets from the client, or None for "unknown": Redis is not configured, away, or too slow."""
    if not settings.REDIS_URL:
        return None
    return breaker.call(lambda: act(_client(settings.REDIS_URL)), None)


def forget_failure() -> None:
    """Ask again at once; for tests."""
    breaker.forget()


def limits() -> dict[str, Any]:
    """Return the options of a connection that a page waits for: the library would try four times by itself."""
    once = Retry(NoBackoff(), 0)
    return {"socket_timeout": settings.REDIS_TIMEOUT, "socket_connect_timeout": settings.REDIS_TIMEOUT, "retry": once}


@cache
def _client(url: str) -> Redis:
    return Redis.from_url(url, decode_responses=True, **limits())
