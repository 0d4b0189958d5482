"""The site with its guard off, for a test that must fail: what counts is what changed after a page was made, not before."""

from config.rsgi import application
from core.caching import memory, pages
from core.caching.versions import versions

_life = memory.life
pages.life = lambda recording, made_at: _life(recording, versions().now())  # type: ignore[assignment]

__all__ = ["application"]
