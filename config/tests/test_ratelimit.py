from unittest.mock import patch

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
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


def test_while_the_cache_is_away_the_process_counts_for_itself():
    with patch.object(cache, "add", return_value=False), patch.object(cache, "incr", side_effect=ValueError):
        assert [hit("mail", "alice", "2/min") for _ in range(3)] == [True, True, False]
        assert hit("mail", "bob", "2/min")


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
    ],
)
def test_an_address_is_believed_only_from_our_own_proxies(proxies, forwarded, expected):
    with override_settings(AXES_IPWARE_PROXY_COUNT=proxies):
        assert client_address(request(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)) == expected
