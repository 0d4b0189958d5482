"""
Whole pages for visitors without a session, kept in front of Django.

A view says that everybody without a session gets the same page, and which parameters of the query it looks at:

    @for_everyone("page")
    def post_list(request): ...

The first visitor's answer is kept, for all processes of the web server (core/caching/store.py); the next one gets its
bytes before Django has made a single object. A page is old when something that was read for it has changed
(core/caching/versions.py), when something appears by itself, such as a scheduled post (core/caching/memory.py), or after
ten minutes. Anything unusual in a request (a session, a message waiting, htmx) goes past the cache. And whatever it looked
like from out here: an answer is kept only if Django had neither found a cookie of ours nor looked into a session.
"""

import gzip
import hashlib
import os
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, QueryDict, parse_cookie
from django.urls import get_resolver
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags

from core.web.cookies import MESSAGES, named
from core.web.logs import id_from
from core.web.metrics import count_hit

from .memory import Life, life
from .store import PageStore
from .versions import recorded, versions

ZIP_LEVEL = 3  # a list of 15 KB becomes 2.6 KB in 0.06 ms; the best level saves another 0.2 KB in 0.3 ms
# What a process has made or handed out it need not read again, which takes five times as long as all the rest of a hit
# and lets other threads go first.
MOST_AT_HAND = 1000  # pages; some 5 KB each
MAX_QUERY = 2000  # as it comes, with whatever others have added to a link
MAX_KNOWN_QUERY = 200
# Whoever has just written something is given it, with a read replica (core/caching/replica.py): no kept page may be
# older.
PINNED_COOKIE = named("pinned")
# Another answer for the same address: left to Django.
DECIDED_BY_HEADER = ("HTTP_HX_REQUEST", "HTTP_AUTHORIZATION", "HTTP_RANGE")
# What the pages of one key may differ by: these headers are part of the key, or such a request goes past the cache.
KNOWN_TO_VARY = {"cookie", "hx-request", "accept-language", "accept-encoding"}
ACCEPTS_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:$|,|;\s*q\s*=\s*(?!0(?:\.0*)?\s*(?:$|,)))", re.IGNORECASE)
NOT_KEPT = {"x-request-id", "content-length", "date", "set-cookie"}

StartResponse = Callable[..., Any]
Headers = list[tuple[str, str]]


_parameters: set[str] = set()


def for_everyone(*parameters: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """
    Mark a view whose page is the same for every visitor without a session.

    It sees no other parameters than the named ones, so that what others add to a link (utm_source, fbclid) cannot make
    another page.
    """
    _parameters.update(parameters)

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            leave_only(parameters, request)
            response = view(request, *args, **kwargs)
            # base.html greets those who have a session: to any other cache the cookie makes another page.
            patch_vary_headers(response, ("Cookie",))
            if response.status_code == 200 and not response.streaming:
                response.made_for = request  # type: ignore[attr-defined]
                response.on_hit = getattr(request, "on_hit", None)  # type: ignore[attr-defined]
            return response

        wrapped.is_cached = True  # type: ignore[attr-defined]
        return may_lag(wrapped)

    return decorate


def leave_only(parameters: Iterable[str], request: HttpRequest) -> None:
    if set(request.GET) - set(parameters):
        request.META["QUERY_STRING"] = query_of(request.META["QUERY_STRING"], parameters)
        request.GET = QueryDict(request.META["QUERY_STRING"])


def query_of(query: str, parameters: Iterable[str]) -> str:
    """Return the query without what is not one of the parameters."""
    return urlencode([pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] in parameters])


def may_lag(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Mark a view whose page may show the state of some seconds ago: where there is a read replica, it is asked."""
    view.may_lag = True  # type: ignore[attr-defined]
    return view


@dataclass(frozen=True)
class Page:
    headers: Headers
    zipped: bytes  # as nearly every browser takes it: a quarter of the room
    etag: str
    life: Life
    view_name: str
    on_hit: Callable[[dict[str, Any]], None] | None  # a function of a module: other processes call it, or lack the page


class PageCache:
    """A WSGI application around Django's."""

    def __init__(self, application: Callable[..., Any], store: PageStore) -> None:
        self.application = application
        self._store = store
        self._at_hand: dict[tuple[str, ...], Page] = {}
        # Of two servers, as during an upgrade, each hands out what its own processes have made: those of one parent. Its
        # number is not enough, for in containers all have the number 1, and they may have one name.
        parent = Path(f"/proc/{os.getppid()}/stat")
        born = parent.read_text().rpartition(")")[2].split()[19] if parent.exists() else ""
        self._maker = (socket.gethostname(), f"{os.getppid()} {born}")
        get_resolver().url_patterns  # noqa: B018 - loads the views, which say what parameters they know

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        page = self.find(environ, may_ask=True)
        if page is not None:
            return answer(page, environ, start_response)
        key = key_of(environ)
        if key is None:
            return self.application(environ, start_response)  # type: ignore[no-any-return]
        return self._make(key, environ, start_response)

    def find(self, environ: dict[str, Any], *, may_ask: bool = False) -> Page | None:
        """
        Return the page kept for this request and count the hit.

        Never waits, so that the web server may look at once, unless it may ask whether what the page says still holds.
        """
        key = key_of(environ)
        page = self._kept(key) if key else None
        if page is None or not (page.life.goes_on or (may_ask and goes_on_when_asked(page))):
            return None
        count_hit(page.view_name)
        if page.on_hit:
            page.on_hit(environ)
        return page

    def _kept(self, key: tuple[str, ...]) -> Page | None:
        """Return the newest page that a process has kept under the key, right or not."""
        page = self._at_hand.get(key)
        if page is None or not page.life.goes_on:
            page = self._store.get(self._name(key))
            if page is not None:
                self._take(key, page)
        return page

    def _take(self, key: tuple[str, ...], page: Page) -> None:
        if len(self._at_hand) >= MOST_AT_HAND:
            self._at_hand.clear()
        self._at_hand[key] = page

    def _make(self, key: tuple[str, ...], environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        # Looked at before the page is made: a write in the meantime makes it old, not wrong.
        made_at = versions().now()
        started: list[Any] = []
        with recorded() as recording:
            response: HttpResponse = self.application(environ, lambda *arguments: started.extend(arguments))
        if not is_for_everyone(response):
            start_response(*started)
            return response
        page = page_of(response, life(recording, made_at))
        response.close()
        if environ["REQUEST_METHOD"] == "GET":  # Django empties the answer to a HEAD
            self._store.put(self._name(key), page)
            self._take(key, page)
        return answer(page, environ, start_response)

    def _name(self, key: tuple[str, ...]) -> str:
        return ascii((*self._maker, *key))


def goes_on_when_asked(page: Page) -> bool:
    try:
        return page.life.goes_on_when_asked()
    except DatabaseError:
        return False  # Django meets the same, and says so


def key_of(environ: dict[str, Any]) -> tuple[str, ...] | None:
    """Return what tells two pages apart, or None for a request that Django must see."""
    query = environ.get("QUERY_STRING", "")
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or len(query) > MAX_QUERY:
        return None
    if any(name in environ for name in DECIDED_BY_HEADER) or knows_us(environ.get("HTTP_COOKIE", "")):
        return None
    if query:
        query = query_of(query, _parameters)
        if len(query) > MAX_KNOWN_QUERY:
            return None
    host = environ.get("HTTP_HOST", "")
    forwarded = environ.get("HTTP_X_FORWARDED_PROTO", "")
    language = environ.get("HTTP_ACCEPT_LANGUAGE", "") if len(settings.LANGUAGES) > 1 else ""
    return (environ["wsgi.url_scheme"], forwarded, host, environ.get("PATH_INFO", ""), query, language)


def knows_us(cookies: str) -> bool:
    """Tell whether the visitor has a cookie of ours, reading the header exactly as Django's request will."""
    return bool(cookies) and has_cookie_of_ours(parse_cookie(cookies.encode("latin-1").decode(errors="replace")))


def has_cookie_of_ours(cookies: Iterable[str]) -> bool:
    """Tell whether one of the names may change what a page says."""
    ours = {
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
        settings.LANGUAGE_COOKIE_NAME,
        PINNED_COOKIE,
        MESSAGES,
    }
    return not ours.isdisjoint(cookies)


def is_for_everyone(response: HttpResponse) -> bool:
    """Tell whether this is the answer of a view for everyone, and a stranger's, now that everything has happened to it."""
    request = getattr(response, "made_for", None)
    if request is None or has_cookie_of_ours(request.COOKIES) or was_session_used(request):
        return False
    private = {"private", "no-store"} & words_of(response.get("Cache-Control", ""))
    differs = words_of(response.get("Vary", "")) - KNOWN_TO_VARY
    has_nonce = "nonce-" in response.get("Content-Security-Policy", "")
    return not (private or differs or has_nonce or response.cookies or response.has_header("Set-Cookie"))


def was_session_used(request: HttpRequest) -> bool:
    session = getattr(request, "session", None)
    return session is not None and (session.accessed or session.modified)


def words_of(header: str) -> set[str]:
    return {part.partition("=")[0].strip().lower() for part in header.split(",")} - {""}


def page_of(response: HttpResponse, its_life: Life) -> Page:
    body = response.content
    patch_vary_headers(response, ("Accept-Encoding",))
    headers = [(name, value) for name, value in response.items() if name.lower() not in NOT_KEPT]
    # "no-cache" lets a browser keep the page if it asks each time whether it is still the same; 304 costs nothing.
    headers += [] if response.has_header("Cache-Control") else [("Cache-Control", "no-cache")]
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    names = getattr(response, "view_name", ""), getattr(response, "on_hit", None)
    # The pages hold no secret beside a stranger's input (no token, no name), so compressing them tells nothing.
    return Page(headers, gzip.compress(body, ZIP_LEVEL), etag, its_life, *names)


def answer(page: Page, environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    headers = [*page.headers, ("ETag", page.etag), ("X-Request-ID", id_from(environ.get("HTTP_X_REQUEST_ID", "")))]
    known = parse_etags(environ.get("HTTP_IF_NONE_MATCH", ""))
    if "*" in known or page.etag in {etag.removeprefix("W/") for etag in known}:
        start_response("304 Not Modified", headers)
        return []
    if ACCEPTS_GZIP.search(environ.get("HTTP_ACCEPT_ENCODING", "")):
        body = page.zipped
        headers.append(("Content-Encoding", "gzip"))
    else:
        body = gzip.decompress(page.zipped)
    headers.append(("Content-Length", str(len(body))))
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
