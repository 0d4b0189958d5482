"""
What the web server calls (granian, by its RSGI interface): the kept pages and Django, each with the thread it needs.

Threads are few, and a page needs one for as long as it is made. Nobody holds one by being slow: a body is taken in on
the event loop (core/serving/intake.py) before a thread is asked for, a kept page is answered without any, a file on
disk is handed out by the server itself. Of the forms with files only UPLOADS are worked on at once, for a picture keeps
a processor busy for seconds.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

from core.caching.pages import PageCache, answer

from .intake import Intake, Refused, limit_of, throw_away

UPLOADS = 2
LINGERING = 4  # refused bodies whose rest is read at once
SECONDS_TO_SEND = 30.0  # in which somebody has to take a part of a list that is still being made
WITHOUT_PREFIX = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}

Headers = list[tuple[str, str]]


class Site:
    def __init__(self, application: PageCache, threads: int) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._intake = Intake(lambda environ: self._in_thread(limit_of, environ))
        self._uploads = asyncio.Semaphore(UPLOADS)
        self._lingering = asyncio.Semaphore(LINGERING)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        environ = environ_of(scope)
        page = self._application.find(environ)
        if page is not None:
            protocol.response_bytes(*called(partial(answer, page), environ))
        elif has_body(environ):
            await self._take_in(environ, protocol)
        else:
            await self._make(environ, protocol)

    async def _take_in(self, environ: dict[str, Any], protocol: Any) -> None:
        chunks = aiter(protocol)
        with self._intake.holding(environ) as body:
            try:
                await body.take(environ, chunks)
            except Refused as refusal:
                if refusal.status == 413 and not self._lingering.locked():
                    async with self._lingering:
                        await throw_away(chunks)
                return await self._make(refused(environ, refusal.status), protocol)
            environ["CONTENT_LENGTH"] = str(body.size)  # a chunked body did not say it
            environ["wsgi.input"] = body.file
            if not environ.get("CONTENT_TYPE", "").startswith("multipart/"):
                return await self._make(environ, protocol)
            async with self._uploads:
                return await self._make(environ, protocol)

    async def _make(self, environ: dict[str, Any], protocol: Any) -> None:
        status, headers, body = await self._in_thread(called, self._application, environ)
        if isinstance(body, bytes):
            protocol.response_bytes(status, headers, body)
            return
        try:
            if isinstance(body, FileOnDisk):
                protocol.response_file(status, headers, body.path)
            else:
                transport = protocol.response_stream(status, headers)
                await self._in_thread(pass_on, body, transport, asyncio.get_running_loop())
        finally:
            await self._in_thread(body.close)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def called(application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> tuple[int, Headers, Any]:
    """Call a WSGI application; return the answer's status, headers, and its bytes unless they are to be read later."""
    started: list[Any] = []
    result = application(environ, lambda status, headers, exc_info=None: started.extend((status, headers)))
    status, headers = int(started[0].partition(" ")[0]), started[1]
    if isinstance(result, FileOnDisk) or getattr(result, "streaming", isinstance(result, FileWrapper)):
        return status, headers, result
    body = b"".join(result)
    if hasattr(result, "close"):
        result.close()
    return status, headers, body


def pass_on(body: Iterable[bytes], transport: Any, loop: asyncio.AbstractEventLoop) -> None:
    """Send what a view makes bit by bit; in one thread, for it may hold a cursor of that thread's connection."""
    for chunk in body:
        asyncio.run_coroutine_threadsafe(sent(transport, chunk), loop).result(SECONDS_TO_SEND)


async def sent(transport: Any, chunk: bytes) -> None:
    await transport.send_bytes(chunk)


class FileOnDisk(FileWrapper):
    """A file that the web server can read by itself."""

    def __init__(self, file: Any, path: str) -> None:
        super().__init__(file)
        self.path = path


def file_wrapper(file: Any, size: int = 65536) -> FileWrapper:
    """Stand in for `wsgi.file_wrapper`, by which Django hands over a FileResponse."""
    name = getattr(file, "name", None)
    if isinstance(name, str) and Path(name).is_absolute() and Path(name).is_file() and file.tell() == 0:
        return FileOnDisk(file, name)
    return FileWrapper(file, size)


def has_body(environ: dict[str, Any]) -> bool:
    return environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ


def refused(environ: dict[str, Any], status: int) -> dict[str, Any]:
    """Return the request as Django shall answer it: without its body, and with the reason (core/web/middleware.py)."""
    return {**environ, "CONTENT_LENGTH": "", "CONTENT_TYPE": "", "atelier.refused": status}


def environ_of(scope: Any) -> dict[str, Any]:
    host, _, port = scope.server.rpartition(":")
    environ = {
        **COMMON,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme,
    }
    for name, value in scope.headers.items():
        key = key_of(name)
        if key in environ:  # HTTP allows a list to come in parts
            value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
        environ[key] = value
    return environ


@lru_cache(1000)
def key_of(name: str) -> str:
    # "X_Forwarded_For" would pass for the header that only a proxy sets.
    return WITHOUT_PREFIX.get(name) or "HTTP_" + name.upper().replace("_", "?").replace("-", "_")


class Nothing:
    """The body of a request without one."""

    def read(self, size: int = -1) -> bytes:
        return b""

    readline = read


COMMON = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.input": Nothing(),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.file_wrapper": file_wrapper,
}
