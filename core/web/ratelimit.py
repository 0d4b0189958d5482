"""
Limits on how often one may do a thing, counted in Redis, or without it in a file of this host (counters.py).

Windows are fixed (an hour starts when the first act in it happens), so up to twice the limit may pass around a
window's edge; that is fine for what this guards. How often a password or a code may be guessed is counted in the
database, without such an edge (account/tries.py).
"""

import ipaddress
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from hashlib import blake2b

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from core.stores import counters

from .errors import typed

View = Callable[..., HttpResponseBase]

PERIODS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


class TooOften(Exception):
    """Raised, from whatever depth, where the answer can only be a 429 page; `retry_after` is in seconds."""

    def __init__(self, retry_after: int, template: str = "429.html") -> None:
        self.retry_after, self.template = retry_after, template
        super().__init__(f"wait {retry_after} seconds")


def hit(scope: str, who: str, rate: str) -> bool:
    """
    Count one act and return whether it is still within `rate`, such as "5/min", "10/h" or "20/d".

    While Redis is away each host counts for itself: a few more get through, but people can still log in, order and
    withdraw, and a mail cannon is still stopped. `who` is an account, an address or a row of ours, never a text that
    a visitor can choose at will: each new one would be a new count.
    """
    limit, _, period = rate.partition("/")
    # Hashed: an address has characters that a cache's key may not, and is nobody's business who looks into Redis.
    key = f"limit:{scope}:{period}:{blake2b(who.encode(), digest_size=16).hexdigest()}"
    number = _count_in_redis(key, PERIODS[period]) if settings.REDIS_URL else None
    if number is None:
        number = counters.count(key, PERIODS[period])
    return number <= int(limit)


def _count_in_redis(key: str, seconds: int) -> int | None:
    """Count one more and return how many there were in this window; None when Redis cannot answer."""
    for _again in range(2):  # the key may expire between the two
        if cache.add(key, 1, seconds):
            return 1
        with suppress(ValueError):
            return cache.incr(key)
    return None


def client_address(request: HttpRequest) -> str:
    """
    Return where the visitor comes from, for counting: an IPv4 address, or the /64 that one household has of IPv6.

    X-Forwarded-For is believed only as far as PROXY_COUNT says that proxies of ours have written it.
    """
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if settings.PROXY_COUNT and len(forwarded) >= settings.PROXY_COUNT:
        return _network(forwarded[-settings.PROXY_COUNT])
    return _network(request.META.get("REMOTE_ADDR", ""))


def _network(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:  # a Unix socket has no address
        return text[:100]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


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


def everyone(request: HttpRequest) -> bool:
    return True


def newcomers(request: HttpRequest) -> bool:
    """Tell whether nothing is kept for this visitor yet, so that the answer may begin a session: a row of its own."""
    return not request.session.keys()


def brings_a_file(request: HttpRequest) -> bool:
    return bool(request.FILES)


def limited(*rates: str, scope: str = "", of: Callable[[HttpRequest], bool] = everyone) -> Callable[[View], View]:
    """Decorate a view so that its POSTs are limited per visitor; the refusal is a 429 page with Retry-After."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if request.method == "POST" and of(request):
                seconds = wait(request, scope or view.__name__, *rates)
                if seconds:
                    return too_many(request, seconds)
            return view(request, *args, **kwargs)

        wrapped.rates = rates  # type: ignore[attr-defined]  # for the test that finds views without a limit
        return wrapped

    return decorate


def too_many(request: HttpRequest, retry_after: int, template: str = "429.html") -> HttpResponse:
    """Render the 429 page with what was typed, to be sent again; `retry_after` is in seconds."""
    kept = typed(request, but_files=True)
    context = {"minutes": -(-retry_after // 60), "kept": kept, "had_files": bool(kept and request.FILES)}
    response = render(request, template, context, status=429)
    response["Retry-After"] = str(retry_after)
    return response


def answer_too_often(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: make TooOften the page it stands for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, TooOften):
            return too_many(request, exception.retry_after, exception.template)
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
