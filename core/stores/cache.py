"""A Redis cache that never takes the site down with it."""

import json
from typing import Any

from django.core.cache.backends.redis import RedisCache

from . import redisstore

NO = False


class Json:
    """
    Numbers and texts for Redis, instead of Django's pickle: reading that may run code, and Redis has no password.

    Whatever else lies there counts as nothing.
    """

    def dumps(self, value: Any) -> Any:
        return value if type(value) is int else json.dumps(value)  # Redis counts bare numbers

    def loads(self, data: Any) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None


class ForgivingRedisCache(RedisCache):
    """
    Redis with a short time-out; a failure answers "not cached", and Redis is left alone for a while (redisstore.py).

    Only hints live here (page parts, rate limits), so a miss is always a right answer.
    """

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(
            server, {**params, "OPTIONS": {**redisstore.limits(), "serializer": Json, **params.get("OPTIONS", {})}}
        )

    def _guarded(self, method: str, default: Any, *args: Any, **kwargs: Any) -> Any:
        act = getattr(super(), method)
        return redisstore.breaker.call(lambda: act(*args, **kwargs), default)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._guarded("add", NO, *args, **kwargs))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._guarded("get", default, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._guarded("set", None, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._guarded("touch", NO, *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._guarded("delete", NO, *args, **kwargs))

    def get_many(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return dict(self._guarded("get_many", {}, *args, **kwargs))

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._guarded("has_key", NO, *args, **kwargs))

    def set_many(self, *args: Any, **kwargs: Any) -> list[str]:
        return list(self._guarded("set_many", [], *args, **kwargs))

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._guarded("delete_many", None, *args, **kwargs)

    def clear(self) -> bool:  # type: ignore[override]
        return bool(self._guarded("clear", NO))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Raise ValueError for a missing key, and also when Redis is away: callers must handle the first anyway."""
        value: int | None = self._guarded("incr", None, key, delta, version)
        if value is None:
            raise ValueError(f"Key {key!r} could not be counted")
        return value
