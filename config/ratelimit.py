"""
Limits on how often one may do a thing, counted in Django's cache.

Windows are fixed (an hour starts when the first act in it happens), so up to twice the limit may pass around a
window's edge; that is fine for what this guards.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

PERIODS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def hit(scope: str, who: str, rate: str, *, fail_open: bool = True) -> bool:
    """
    Count one act and return whether it is still within `rate`, such as "5/min", "10/h" or "20/d".

    A cache that cannot answer lets reading pass (`fail_open`) and stops what costs money or sends mail.
    """
    limit, _, period = rate.partition("/")
    key = f"limit:{scope}:{period}:{who}"
    if cache.add(key, 1, PERIODS[period]):
        return True
    try:
        count = cache.incr(key)
    except ValueError:  # expired in between, or the cache is away
        return cache.add(key, 1, PERIODS[period]) or fail_open
    return count <= int(limit)


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


def wait(request: HttpRequest, scope: str, *rates: str, fail_open: bool = True) -> int:
    """Count one act of this visitor; return 0, or how many seconds to wait when it was one too many."""
    for rate in rates:
        if not hit(scope, visitor(request), rate, fail_open=fail_open):
            return PERIODS[rate.partition("/")[2]]
    return 0


def limited(*rates: str, scope: str = "", fail_open: bool = True) -> Callable:
    """Decorate a view so that its POSTs are limited per visitor; the refusal is a 429 page with Retry-After."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method == "POST":
                seconds = wait(request, scope or view.__name__, *rates, fail_open=fail_open)
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
