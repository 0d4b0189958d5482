"""
Looks at pages that are answered from memory (config/pagecache.py), before Django sees the request.

The request only notes what was looked at and by what browser, which costs about a microsecond; a thread of the process
counts the notes once a second. A killed process loses the looks of its last second.
"""

import logging
import threading
import time
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

from django.db import close_old_connections
from django.http import HttpRequest

from . import looks

logger = logging.getLogger(__name__)

SECONDS = 1.0
NOTED = (
    "REQUEST_METHOD",
    "REMOTE_ADDR",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_USER_AGENT",
    "HTTP_SEC_PURPOSE",
    "HTTP_PURPOSE",
    "HTTP_X_MOZ",
)

_notes: SimpleQueue[tuple[str, int, dict[str, Any]]] = SimpleQueue()


def note(kind: str, target_id: int, environ: dict[str, Any]) -> None:
    """Remember a look for the thread; `kind` is a model's `label_lower`, `environ` WSGI's."""
    _notes.put((kind, target_id, {name: environ[name] for name in NOTED if name in environ}))
    _thread()


def count_noted() -> None:
    """Count all looks noted so far."""
    found = []
    while True:
        try:
            kind, target_id, meta = _notes.get_nowait()
        except Empty:
            break
        request = HttpRequest()
        request.META, request.method = meta, meta["REQUEST_METHOD"]
        if looks.is_one(request):
            found.append(looks.by(request, kind, target_id))
    looks.count(found)


@cache
def _thread() -> threading.Thread:
    thread = threading.Thread(target=_work, daemon=True, name="repeats")
    thread.start()
    return thread


def _work() -> None:
    while True:
        time.sleep(SECONDS)
        try:
            count_noted()
        except Exception:
            logger.exception("looks could not be counted")
        finally:
            close_old_connections()
