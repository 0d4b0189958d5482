"""This site with its page cache in front."""

from typing import Any

import atelier


def prepare(rows: int) -> Any:
    atelier.wrapped = with_pages
    return atelier.prepare(rows)


def with_pages(application: Any) -> Any:
    from core.caching.pages import PageCache

    return PageCache(application)
