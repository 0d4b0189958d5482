"""The site with its guard off, for a test that must fail: what counts is what changed after a page was made, not before."""

from config.rsgi import application
from core.caching import lifetime, pages
from core.caching.versions import versions

_life = lifetime.life
pages.life = lambda readings, made_at: _life(readings, versions().now())  # type: ignore[assignment]

__all__ = ["application"]
