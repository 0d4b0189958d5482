"""
Page views, noted by the request and counted once a second by a thread of the process, so that no page waits for a write.

Of a page answered from memory (core/caching/pages.py) the request notes only what was looked at and by what browser,
which costs about a microsecond. A killed process loses the views of its last second.
"""

import logging
import threading
import time
from contextlib import suppress
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

from django.db import close_old_connections
from django.http import HttpRequest

from . import page_views
from .models import View

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

_notes: SimpleQueue[View | tuple[str, int, dict[str, Any]]] = SimpleQueue()


def put(view: View) -> None:
    _notes.put(view)
    _thread()


def note(kind: str, target_id: int, environ: dict[str, Any]) -> None:
    """Remember a page view for the thread; `kind` is a model's `label_lower`, `environ` WSGI's."""
    _notes.put((kind, target_id, {name: environ[name] for name in NOTED if name in environ}))
    _thread()


def count_noted() -> None:
    """Count all page views noted so far."""
    found = {}
    with suppress(Empty):
        while True:
            noted = _notes.get_nowait()
            view = noted if isinstance(noted, View) else _view(*noted)
            if view:
                found[view.target_kind, view.target_id, view.visitor, view.seen_on] = view
    if found:
        page_views.count(list(found.values()))


def _view(kind: str, target_id: int, meta: dict[str, Any]) -> View | None:
    request = HttpRequest()
    request.META, request.method = meta, meta["REQUEST_METHOD"]
    return page_views.view_of(request, kind, target_id) if page_views.is_by_person(request) else None


@cache
def _thread() -> threading.Thread:
    thread = threading.Thread(target=_work, daemon=True, name="view-buffer")
    thread.start()
    return thread


def _work() -> None:
    while True:
        time.sleep(SECONDS)
        try:
            count_noted()
        except Exception:
            logger.exception("page views could not be counted")
        finally:
            close_old_connections()
