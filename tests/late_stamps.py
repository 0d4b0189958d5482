"""The site with its guard off, for a test that must fail: stamps are read when a page is made, instead of before."""

from config.rsgi import application
from core.caching.freshness import Stamps

_of = Stamps.of
Stamps.of = lambda self, tables, then=None: _of(self, tables)  # type: ignore[method-assign]

__all__ = ["application"]
