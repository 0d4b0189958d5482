from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from account.models import User
from core.stores import counters
from core.web import ratelimit
from core.web.ratelimit import TooOften, answer_too_often, client_address, hit, limited


def test_acts_within_the_rate_pass_and_the_next_one_does_not():
    assert [hit("mail", "alice", "2/min") for _ in range(3)] == [True, True, False]


def test_people_and_purposes_are_counted_apart():
    hit("mail", "alice", "1/min")

    assert hit("mail", "bob", "1/min")
    assert hit("like", "alice", "1/min")


@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_while_redis_is_away_the_host_counts_for_itself():
    with patch.object(cache, "add", return_value=False) as add, patch.object(cache, "incr", side_effect=ValueError):
        assert [hit("mail", "alice", "2/min") for _ in range(3)] == [True, True, False]
        assert hit("mail", "bob", "2/min")
        assert add.call_count == 8, "Redis is asked once more each time, and left alone then"


@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_a_window_that_ends_just_now_is_begun_anew():
    with (
        patch.object(cache, "add", side_effect=[False, True]),
        patch.object(cache, "incr", side_effect=ValueError),
        patch.object(counters, "count", side_effect=AssertionError),
    ):
        assert hit("mail", "alice", "1/min")


@pytest.mark.parametrize("redis_url", ["", "redis://127.0.0.1:1/0"])
def test_acts_are_counted_in_redis_where_there_is_one_and_on_this_host_where_not(redis_url):
    stand_in = LocMemCache("counted", {})
    stand_in.clear()
    unused = patch.object(*((counters, "count") if redis_url else (stand_in, "add")), side_effect=AssertionError)
    with override_settings(REDIS_URL=redis_url), patch.object(ratelimit, "cache", stand_in), unused:
        assert [hit("mail", "alice", "3/min") for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("redis_url", ["", "redis://127.0.0.1:1/0"])
@pytest.mark.parametrize(("rate", "seconds"), [("1/s", 1), ("1/min", 60), ("1/h", 3600), ("1/d", 86400)])
def test_a_window_ends_when_its_time_is_over_and_not_before(rate, seconds, redis_url):
    stand_in = LocMemCache("windows", {})
    stand_in.clear()
    with (
        override_settings(REDIS_URL=redis_url),
        patch.object(ratelimit, "cache", stand_in),
        time_machine.travel(1_700_000_000, tick=False) as clock,
    ):
        assert [hit("mail", "alice", rate), hit("mail", "alice", rate)] == [True, False]
        clock.shift(seconds - 0.01)
        assert not hit("mail", "alice", rate)
        clock.shift(0.02)
        assert [hit("mail", "alice", rate), hit("mail", "alice", rate)] == [True, False]


@limited("1/h")
def shout(request):
    return HttpResponse("heard")


@limited("1/h")
def whisper(request):
    return HttpResponse("heard")


@limited("2/min", "3/h", scope="song")
def sing(request):
    return HttpResponse("heard")


@limited("2/min", "3/h", scope="song")
def hum(request):
    return HttpResponse("heard")


def request(method="post", **meta):
    made = getattr(RequestFactory(), method)("/", **meta)
    made.user = AnonymousUser()
    return made


def test_the_refusal_is_a_429_that_says_when_to_come_back():
    shout(request())

    with patch.object(ratelimit, "render", lambda *args, status, **kw: HttpResponse(status=status)):
        response = shout(request())

    assert response.status_code == 429
    assert response["Retry-After"] == "3600"


def page_with_minutes(request, template, context, status):
    return HttpResponse(context["minutes"], status=status)


@pytest.mark.parametrize(("seconds", "minutes"), [(1, 1), (60, 1), (61, 2), (120, 2), (121, 3), (3600, 60)])
def test_begun_minutes_are_waited_for_in_whole(seconds, minutes):
    middleware = answer_too_often(lambda request: HttpResponse())
    with patch.object(ratelimit, "render", page_with_minutes):
        refusal = middleware.process_exception(request(), TooOften(seconds))

    assert (refusal.status_code, refusal["Retry-After"], int(refusal.content)) == (429, str(seconds), minutes)
    assert middleware.process_exception(request(), ValueError()) is None


def test_reading_is_not_counted():
    assert [shout(request(method)).status_code for method in ("get", "head", "options")] == [200, 200, 200]
    assert shout(request()).status_code == 200
    assert shout(request("get")).status_code == 200


@override_settings(REDIS_URL="")  # whose clock no test can move
def test_forms_are_counted_apart_unless_they_share_a_scope():
    answers = []
    with (
        patch.object(ratelimit, "render", page_with_minutes),
        time_machine.travel(1_700_000_000, tick=False) as clock,
    ):
        assert [shout(request()).status_code, whisper(request()).status_code] == [200, 200]
        for view in (sing, hum, sing):
            answers.append(view(request()))
        clock.shift(61)
        answers += [sing(request()), hum(request())]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 200, 429]
    assert [answer["Retry-After"] for answer in answers if answer.status_code == 429] == ["60", "3600"]


def test_a_member_is_counted_wherever_they_are_and_nobody_else_with_them():
    def post(number, address):
        made = request(REMOTE_ADDR=address)
        made.user = User(pk=number)
        return shout(made).status_code

    with patch.object(ratelimit, "render", page_with_minutes):
        assert [post(1, "8.8.8.8"), post(2, "8.8.8.8"), post(1, "9.9.9.9")] == [200, 200, 429]
        assert shout(request(REMOTE_ADDR="8.8.8.8")).status_code == 200


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "6.6.6.6", "10.0.0.1"),
        (1, "6.6.6.6, 8.8.8.8", "8.8.8.8"),
        (2, "6.6.6.6, 8.8.8.8, 9.9.9.9", "8.8.8.8"),
        (2, "9.9.9.9", "10.0.0.1"),
        (1, "2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        (1, "2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        (1, "::ffff:8.8.8.8", "8.8.8.8"),
        (1, "fe80::1%eth0", "fe80::/64"),
        (1, "nonsense", "nonsense"),
        (1, "n" * 101, "n" * 100),
    ],
)
def test_an_address_is_believed_only_from_our_own_proxies(proxies, forwarded, expected):
    with override_settings(PROXY_COUNT=proxies):
        assert client_address(request(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)) == expected


def test_a_hundred_addresses_of_one_household_are_counted_as_one():
    answers = set()
    with patch.object(ratelimit, "render", lambda *args, status, **kw: HttpResponse(status=status)):
        for number in range(100):
            answers.add(shout(request(REMOTE_ADDR=f"2001:db8:1:2::{number:x}")).status_code)
        elsewhere = shout(request(REMOTE_ADDR="2001:db8:1:3::1")).status_code

    assert answers == {200, 429}
    assert elsewhere == 200
