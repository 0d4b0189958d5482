"""
The one way to Redis: the cache, view counts, rankings, who bought what together, what other hosts are told.

Whoever asks goes through one breaker, so that a Redis that hangs costs a process REDIS_TIMEOUT once in five seconds,
however many questions a page has. Whoever listens has a thread that nobody waits for.
"""

import logging
import time
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

logger = logging.getLogger(__name__)

SILENCE = 10.0  # seconds without a message before Redis is asked whether it is still there

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


# --- What others publish --------------------------------------------------------------------------------------------


def hear(channel: str, act: Callable[[str], None]) -> None:
    """Pass each message of a channel to `act`, for ever; for a thread of its own."""
    while True:
        try:
            with _listener(settings.REDIS_URL).pubsub() as pubsub:
                pubsub.subscribe(channel)
                while True:
                    message = _next(pubsub)
                    if message["type"] == "message":
                        act(message["data"])
        except (RedisError, OSError) as error:
            logger.warning("Nothing is heard of %s: %s", channel, error)
            time.sleep(5)


def _listener(url: str) -> Redis:
    waits = {"socket_timeout": SILENCE, "socket_connect_timeout": SILENCE}
    return Redis.from_url(url, decode_responses=True, encoding_errors="replace", **waits)


def _next(pubsub: Any) -> dict[str, Any]:
    """Return the next message; raises TimeoutError when not even a question is answered, as by a host that vanished."""
    message: dict[str, Any] | None = pubsub.get_message(timeout=SILENCE)
    if message is None:
        pubsub.ping()
        message = pubsub.get_message(timeout=SILENCE)
    if message is None:
        raise TimeoutError("Redis is silent")
    return message
