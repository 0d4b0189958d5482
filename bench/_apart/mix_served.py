"""
What granian serves for bench/mix.py: the site as it is shipped, with a note of what each request cost.

This file runs in the tree of any revision, so it imports nothing of `bench` and knows as little as it can of the site:
that it is an RSGI or a WSGI application, and that whoever answers without calling Django answers from memory. A request
is named by the number in its header X-Bench; the note is the CPU time of the thread or threads that worked on it.
"""

import importlib
import mmap
import os
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

NOTE = struct.Struct("<fBxxx")  # CPU seconds; 1: from memory, 2: Django was called
_thread = threading.local()
_on_loop: "list[Note | None]" = [None]  # whose step the event loop is taking


class Note:
    def __init__(self, number: str | None) -> None:
        self.number, self.seconds, self.reached_django = int(number or -1), 0.0, False

    def timed(self, function: Callable[..., Any], *arguments: Any) -> Any:
        begun, _thread.note = time.thread_time(), self
        try:
            return function(*arguments)
        finally:
            self.seconds += time.thread_time() - begun
            _thread.note = None

    def write(self) -> None:
        if self.number >= 0:
            NOTE.pack_into(notes, self.number * NOTE.size, self.seconds, 2 if self.reached_django else 1)


class Steps:
    """Awaits a coroutine and times each of its steps on the event loop."""

    def __init__(self, work: Awaitable[None], note: Note) -> None:
        self.work, self.note = work.__await__(), note

    def __await__(self) -> Generator[Any, Any, None]:
        step, given = self.work.send, None
        while True:
            _on_loop[0] = self.note
            try:
                awaited = self.note.timed(step, given)
            except StopIteration:
                return
            finally:
                _on_loop[0] = None
            try:
                step, given = self.work.send, (yield awaited)
            except BaseException as error:
                step, given = self.work.throw, error  # type: ignore[assignment]


class Served:
    def __init__(self, site: Any) -> None:
        self.site = site

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        note = Note(scope.headers.get("x-bench"))
        try:
            await Steps(self.site.__rsgi__(scope, protocol), note)
        finally:
            note.write()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        note = Note(environ.get("HTTP_X_BENCH"))
        try:
            return note.timed(self.site, environ, start_response)
        finally:
            note.write()


def open_notes() -> mmap.mmap:
    with Path(os.environ["MIX_NOTES"]).open("r+b") as file:
        return mmap.mmap(file.fileno(), 0)


def note_what_threads_do(submit: Callable[..., Any]) -> Callable[..., Any]:
    def noting(self: ThreadPoolExecutor, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        note = _on_loop[0]
        return (
            submit(self, function, *arguments, **named)
            if note is None
            else submit(self, note.timed, function, *arguments)
        )

    return noting


def note_calls_of_django(call: Callable[..., Any]) -> Callable[..., Any]:
    def noting(self: WSGIHandler, *arguments: Any) -> Any:
        note = getattr(_thread, "note", None)
        if note is not None:
            note.reached_django = True
        return call(self, *arguments)

    return noting


notes = open_notes()
ThreadPoolExecutor.submit = note_what_threads_do(ThreadPoolExecutor.submit)  # type: ignore[method-assign]
WSGIHandler.__call__ = note_calls_of_django(WSGIHandler.__call__)  # type: ignore[method-assign]
application = Served(importlib.import_module(os.environ["MIX_SITE"]).application)
