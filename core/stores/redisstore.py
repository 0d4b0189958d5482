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
HEARD_WITHIN = 15.0  # seconds after the last sign of it, until which Redis counts as heard

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


_heard_at = -HEARD_WITHIN


def is_hearing() -> bool:
    """Tell whether `hear`, in another thread, had a sign of life just now."""
    return time.monotonic() - _heard_at < HEARD_WITHIN


def hear(channel: str, act: Callable[[str], None], begin: Callable[[], None]) -> None:
    """Pass each message of a channel to `act`, for ever, after `begin` each time it begins; for a thread of its own."""
    global _heard_at
    while True:
        try:
            with _listener(settings.REDIS_URL).pubsub() as pubsub:
                pubsub.subscribe(channel)
                while True:
                    message = _next(pubsub)
                    if message["type"] == "subscribe":
                        begin()
                    elif message["type"] == "message":
                        act(message["data"])
                    _heard_at = time.monotonic()
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
