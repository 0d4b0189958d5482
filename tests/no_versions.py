"""The site with its versions switched off, for a test that must fail: nothing that was kept is ever old."""

from config.rsgi import application
from core.caching.versions import Versions

Versions.last_change = lambda self, slots: 0  # type: ignore[method-assign]

__all__ = ["application"]
