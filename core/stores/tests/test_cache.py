import pickle
import socket
import tempfile
import threading
import time
from pathlib import Path
from unittest.mock import MagicMock, Mock, patch

import pytest
from django.conf import settings
from django.test import SimpleTestCase, override_settings
from redis import Redis

from core.caching import versions
from core.stores import redisstore
from core.stores.breaker import Breaker
from core.stores.cache import ForgivingRedisCache, Json


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


class Trap:
    """What somebody who can write to Redis would leave there."""

    def __reduce__(self):
        return (Path.touch, (TRAP,))


TRAP = Path(tempfile.gettempdir(), "atelier-test-trap")


@pytest.mark.parametrize("left", [pickle.dumps(Trap()), b"", b"\xff", b"[" * 100_000])
def test_what_others_leave_in_redis_runs_nothing_and_breaks_nothing(left):
    assert Json().loads(left) is None
    assert not TRAP.exists()


def test_numbers_texts_and_lists_come_back_as_they_were():
    for value in (5, "token", [[["DE", "AT"], "4.900", None]], True, None):
        kept = Json().dumps(value)
        assert Json().loads(str(kept).encode()) == value


@pytest.mark.skipif(not settings.REDIS_URL, reason="needs Redis")
def test_the_cache_takes_no_pickle_from_redis():
    cache = ForgivingRedisCache(settings.REDIS_URL, {"KEY_PREFIX": "trap"})
    Redis.from_url(settings.REDIS_URL).set(cache.make_key("left"), pickle.dumps(Trap()), ex=60)

    assert cache.get("left", "made anew") is None
    assert not TRAP.exists()
    cache.set("ours", ["DE", "4.900"], 60)
    assert cache.get("ours") == ["DE", "4.900"]


def test_counting_raises_the_error_that_callers_expect_of_a_missing_key():
    with pytest.raises(ValueError, match="could not be counted"):
        cache_without_redis().incr("a")


class HangingRedisTests(SimpleTestCase):
    """A Redis that takes connections and says nothing, as one that was stopped does."""

    def setUp(self):
        redisstore.forget_failure()
        self.addCleanup(redisstore.forget_failure)
        self.listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0"
        self.enterContext(override_settings(REDIS_URL=url, REDIS_TIMEOUT=0.05))
        self.cache = ForgivingRedisCache(url, {})

    def connections(self) -> int:
        self.listener.setblocking(False)
        number = 0
        try:
            while True:
                self.listener.accept()[0].close()
                number += 1
        except BlockingIOError:
            return number

    def test_whoever_asks_first_waits_and_nobody_else_does(self):
        with self.assertLogs("core.stores.breaker", "WARNING"):
            versions.changed("shop_product")
        versions.changed("orders_order")
        self.cache.get("page")
        self.cache.add("limit", 1)
        assert redisstore.ask(lambda redis: redis.get("views")) is None

        assert self.connections() == 1

    def test_the_cache_too_spares_the_others(self):
        with self.assertLogs("core.stores.breaker", "WARNING"):
            self.cache.get("page")
        assert redisstore.ask(lambda redis: redis.get("views")) is None
        versions.changed("shop_product")

        assert self.connections() == 1


class HearingTests(SimpleTestCase):
    def test_a_quiet_redis_is_asked_whether_it_is_still_there(self):
        for answers, heard in [(["change"], "change"), ([None, "pong"], "pong")]:
            pubsub = Mock(get_message=Mock(side_effect=answers))
            assert redisstore._next(pubsub) == heard
            assert pubsub.ping.call_count == len(answers) - 1

    def test_one_that_has_fallen_silent_is_noticed(self):
        with pytest.raises(TimeoutError):
            redisstore._next(Mock(get_message=Mock(side_effect=[None, None])))

    def test_messages_are_passed_on_and_other_news_of_the_channel_is_not(self):
        class Enough(Exception):
            pass

        news = [{"type": "subscribe", "data": 1}, {"type": "message", "data": "here shop_product"}, Enough()]
        client = MagicMock()
        client.pubsub.return_value.__enter__.return_value.get_message.side_effect = news
        heard = []
        with patch.object(redisstore, "_listener", return_value=client), pytest.raises(Enough):
            redisstore.hear("atelier:changed:0", heard.append, lambda: heard.append("begun"))

        assert heard == ["begun", "here shop_product"]

    def test_it_counts_as_heard_for_a_while_after_a_sign_of_life(self):
        now = time.monotonic()
        for heard_at, is_heard in [(now, True), (now - redisstore.HEARD_WITHIN, False)]:
            with patch.object(redisstore, "_heard_at", heard_at):
                assert redisstore.is_hearing() == is_heard


class BreakerTests(SimpleTestCase):
    def setUp(self):
        self.breaker = Breaker("it", (OSError,), rest=3600)
        self.asked = 0

    def fail(self):
        self.asked += 1
        raise OSError

    def answer(self):
        self.asked += 1
        return "answer"

    def test_it_is_left_alone_after_a_failure(self):
        assert [self.breaker.call(self.fail, "default") for _ in range(3)] == ["default"] * 3
        assert self.asked == 1

    def test_one_caller_tries_again_while_the_others_go_on_without(self):
        self.breaker.call(self.fail, None)
        self.breaker._retry_at = time.monotonic()
        tries, go_on, found = threading.Event(), threading.Event(), []

        def answer_late():
            tries.set()
            go_on.wait(200)
            return self.answer()

        prober = threading.Thread(target=lambda: found.append(self.breaker.call(answer_late, None)))
        prober.start()
        assert tries.wait(200)
        assert self.breaker.call(self.answer, "default") == "default"
        go_on.set()
        prober.join()

        assert found == ["answer"]
        assert self.breaker.call(self.answer, "default") == "answer"
        assert self.asked == 3  # the failure, the try, and then as ever

    def test_error_of_another_kind_is_the_callers(self):
        with pytest.raises(ZeroDivisionError):
            self.breaker.call(lambda: 1 / 0, None)
        assert self.breaker.call(self.answer, None) == "answer"


def test_nobody_opens_a_connection_past_the_breaker():
    sources = [file for app in settings.INSTALLED_APPS for file in Path(settings.BASE_DIR, app).rglob("*.py")]
    makers = {str(file.relative_to(settings.BASE_DIR)) for file in sources if "Redis.from_url(" in file.read_text()}

    assert {maker for maker in makers if "/tests/" not in maker} == {"core/stores/redisstore.py"}
