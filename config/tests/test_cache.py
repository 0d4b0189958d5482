import time

from config.cache import ForgivingRedisCache


def cache_without_redis():
    return ForgivingRedisCache("redis://127.0.0.1:1/0", {})


def test_every_operation_answers_as_if_nothing_were_cached():
    cache = cache_without_redis()

    assert cache.get("page", "made anew") == "made anew"
    assert cache.get_many(["a", "b"]) == {}
    assert cache.add("a", 1) is False
    assert cache.set("a", 1) is None
    assert cache.set_many({"a": 1}) == []
    assert cache.has_key("a") is False
    assert cache.touch("a") is False
    assert cache.delete("a") is False
    assert cache.get_or_set("a", lambda: 5) == 5


def test_counting_raises_the_error_that_callers_expect_of_a_missing_key():
    try:
        cache_without_redis().incr("a")
    except ValueError:
        return
    raise AssertionError("incr answered without a Redis")


def test_redis_is_left_alone_for_a_while_after_a_failure():
    cache = cache_without_redis()
    cache.get("a")
    asked = []
    cache._cache = type("Spy", (), {"get": lambda *args: asked.append(1)})()

    cache.get("a")
    assert not asked

    cache._retry_at = time.monotonic() - 1
    cache.get("a")
    assert asked
