"""This site with its page cache in front."""

import tempfile
from pathlib import Path
from typing import Any

import atelier


def prepare(rows: int) -> Any:
    atelier.wrapped = with_pages
    return atelier.prepare(rows)


def with_pages(application: Any) -> Any:
    from core.caching.pages import PageCache
    from core.caching.store import PageStore

    return PageCache(application, PageStore(Path(tempfile.mkdtemp())))
