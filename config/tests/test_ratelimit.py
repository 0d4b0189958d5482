from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from config import ratelimit
from config.ratelimit import client_address, hit, limited


def test_acts_within_the_rate_pass_and_the_next_one_does_not():
    assert [hit("mail", "alice", "2/min") for _ in range(3)] == [True, True, False]


def test_people_and_purposes_are_counted_apart():
    hit("mail", "alice", "1/min")

    assert hit("mail", "bob", "1/min")
    assert hit("like", "alice", "1/min")


@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_while_redis_is_away_the_host_counts_for_itself():
    with patch.object(cache, "add", return_value=False), patch.object(cache, "incr", side_effect=ValueError):
        assert [hit("mail", "alice", "2/min") for _ in range(3)] == [True, True, False]
        assert hit("mail", "bob", "2/min")


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


def test_reading_is_not_counted():
    assert [shout(request("get")).status_code for _ in range(3)] == [200, 200, 200]


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
