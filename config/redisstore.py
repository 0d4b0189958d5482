"""The one way to Redis for what is not the cache: view counts, rankings, who bought what together."""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

SECONDS_OPEN = 5.0
T = TypeVar("T")

_retry_at = 0.0


def is_configured() -> bool:
    return bool(settings.REDIS_URL)


def ask(act: Callable[[Any], T]) -> T | None:
    """
    Return what `act` gets from the client, or None for "unknown": Redis is not configured, away, or too slow.

    After a failure Redis is left alone for five seconds, so that a dead one costs a page REDIS_TIMEOUT at most, once.
    """
    global _retry_at
    if not settings.REDIS_URL or time.monotonic() < _retry_at:
        return None
    try:
        return act(_client(settings.REDIS_URL))
    except (RedisError, OSError) as error:
        _retry_at = time.monotonic() + SECONDS_OPEN
        logger.warning("Redis is away: %s", error)
        return None


def forget_failure() -> None:
    """Ask again at once; for tests."""
    global _retry_at
    _retry_at = 0.0


@cache
def _client(url: str) -> Redis:
    limit = settings.REDIS_TIMEOUT
    return Redis.from_url(url, socket_timeout=limit, socket_connect_timeout=limit, decode_responses=True)
