"""
What people send, taken in before a thread is spent on it: within limits of size, pace and number.

A stranger may send a form of STRANGERS bytes, a member one of MEMBERS, and a member's file goes to the views that say
they take one (`@takes_files`), a member of staff's to the admin. Whoever sends more is refused before it is read, and
nothing of it is kept. A body has to come at PACE after its first GRACE seconds; what is being taken in from one address,
and from all, is bounded, so that neither memory nor disk fills.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest
from django.urls import resolve
from django.utils.module_loading import import_string

from core.people import Member
from core.web.ratelimit import View, client_address

STRANGERS = 1_000_000  # bytes, a webhook's and a long comment's among them
MEMBERS = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
FILE = settings.PICTURE_MB * 1024**2 + 1_500_000  # a picture and the form around it
STAFF = int(settings.STAFF_UPLOAD_MB) * 1_000_000
IN_MEMORY = 1_000_000  # a larger body waits on disk
GRACE = 20.0  # seconds
PACE = 20_000  # bytes a second
STEP = 10.0  # seconds in which some more has to come
FROM_ONE_ADDRESS = 40_000_000  # bytes that are being taken in or worked on
FROM_ALL = 200_000_000
# Seconds for which the rest of a refused body is thrown away, so that the browser comes to read the answer.
LINGER = 3.0


class Refused(Exception):
    """The body is not taken in; `status` says why: 400 cut short, 408 too slow, 413 too large, 429 too many at once."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


def takes_files(view: View) -> View:
    """Mark a view whose form has a file field for members."""
    view.body_limit = FILE  # type: ignore[attr-defined]
    return view


def limit_of(environ: dict[str, Any]) -> int:
    """Return how many bytes whoever asks may send to this address; looks at the session, so it needs a thread."""
    request = WSGIRequest({**environ, "CONTENT_TYPE": "", "CONTENT_LENGTH": "", "wsgi.input": BytesIO()})
    user = _member(request)
    if user is None:
        return STRANGERS
    try:
        match = resolve(request.path_info)
    except Http404:
        return MEMBERS
    if match.app_name == "admin" and user.is_staff:
        return STAFF
    limit: int = getattr(match.func, "body_limit", 0)
    return max(MEMBERS, limit)


def _member(request: HttpRequest) -> Member | None:
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(key)
    user = get_user(request)
    return user if user.is_authenticated else None


class Intake:
    """What one process is taking in at the moment."""

    def __init__(self, limit_of: Callable[[dict[str, Any]], Awaitable[int]]) -> None:
        self._limit_of = limit_of
        self._held: Counter[str] = Counter()

    @contextmanager
    def holding(self, environ: dict[str, Any]) -> "Iterator[Body]":
        """Count what the body takes for as long as somebody works on it."""
        body = Body(self, client_address(WSGIRequest({**environ, "CONTENT_TYPE": ""})))
        try:
            yield body
        finally:
            self._held[body.address] -= body.size
            self._held += Counter()  # forgets those who hold nothing
            body.file.close()

    def count(self, address: str, size: int, limit: int) -> None:
        self._held[address] += size
        if self._held[address] > max(FROM_ONE_ADDRESS, limit) or self._held.total() > max(FROM_ALL, limit):
            raise Refused(429)

    async def limit(self, environ: dict[str, Any], announced: int) -> int:
        """Ask who it is only when more comes than anybody may send."""
        return STRANGERS if announced <= STRANGERS else await self._limit_of(environ)


class Body:
    def __init__(self, intake: Intake, address: str) -> None:
        self.address = address
        self.size = 0
        self.file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - holding() closes it
        self._intake = intake

    async def take(self, environ: dict[str, Any], chunks: AsyncIterator[bytes]) -> None:
        """Read all of it, or raise Refused."""
        announced = int(environ.get("CONTENT_LENGTH") or 0)
        limit = await self._intake.limit(environ, announced)
        if announced > limit:
            raise Refused(413)
        async for chunk in on_time(chunks):
            self.size += len(chunk)
            self._intake.count(self.address, len(chunk), limit)
            if self.size > limit and self.size > (limit := await self._intake.limit(environ, self.size)):
                raise Refused(413)
            self.file.write(chunk)
        if self.size < announced:
            raise Refused(400)
        self.file.seek(0)


async def on_time(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass the chunks on; raise Refused when they come too slowly, however evenly they drip."""
    clock = asyncio.get_running_loop().time
    began, size = clock(), 0
    while True:
        left = GRACE + size / PACE - (clock() - began)
        try:
            async with asyncio.timeout(min(STEP, left)):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refused(408) from None
        size += len(chunk)
        yield chunk


async def throw_away(chunks: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, StopAsyncIteration):
        async with asyncio.timeout(LINGER):
            while True:
                await anext(chunks)
                await asyncio.sleep(0.02)  # and not as fast as it can be sent: that would cost everybody else time
