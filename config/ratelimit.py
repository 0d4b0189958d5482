"""
Limits on how often one may do a thing, counted in Django's cache.

Windows are fixed (an hour starts when the first act in it happens), so up to twice the limit may pass around a
window's edge; that is fine for what this guards.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps

from django.conf import settings
from django.core.cache import BaseCache, cache, caches
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

PERIODS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def hit(scope: str, who: str, rate: str) -> bool:
    """
    Count one act and return whether it is still within `rate`, such as "5/min", "10/h" or "20/d".

    While Redis is away each process counts for itself: a few more get through, but people can still log in, order and
    withdraw, and a mail cannon is still stopped.
    """
    limit, _, period = rate.partition("/")
    key = f"limit:{scope}:{period}:{who}"
    count = _count(cache, key, PERIODS[period])
    if count is None:
        count = _count(caches["memory"], key, PERIODS[period]) or 1
    return count <= int(limit)


def _count(counter: BaseCache, key: str, seconds: int) -> int | None:
    """Count one more and return how many there were in this window; None when the cache cannot answer."""
    for _again in range(2):  # the key may expire between the two
        if counter.add(key, 1, seconds):
            return 1
        with suppress(ValueError):
            return counter.incr(key)
    return None


def client_address(request: HttpRequest) -> str:
    """Return the visitor's address, taken from X-Forwarded-For only when PROXY_COUNT says how many proxies are ours."""
    proxies = settings.AXES_IPWARE_PROXY_COUNT
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if proxies and len(forwarded) >= proxies:
        return forwarded[-proxies]
    return request.META.get("REMOTE_ADDR", "")


def visitor(request: HttpRequest) -> str:
    """Return who is counted: the member, or the address of a visitor without an account."""
    if request.user.is_authenticated:
        return f"user-{request.user.pk}"
    return client_address(request)


def wait(request: HttpRequest, scope: str, *rates: str) -> int:
    """Count one act of this visitor; return 0, or how many seconds to wait when it was one too many."""
    for rate in rates:
        if not hit(scope, visitor(request), rate):
            return PERIODS[rate.partition("/")[2]]
    return 0


def limited(*rates: str, scope: str = "") -> Callable:
    """Decorate a view so that its POSTs are limited per visitor; the refusal is a 429 page with Retry-After."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method == "POST":
                seconds = wait(request, scope or view.__name__, *rates)
                if seconds:
                    return too_many(request, seconds)
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def too_many(request: HttpRequest, retry_after: int) -> HttpResponse:
    """Render the 429 page; `retry_after` is in seconds."""
    response = render(request, "429.html", {"retry_after": retry_after}, status=429)
    response["Retry-After"] = str(retry_after)
    return response
