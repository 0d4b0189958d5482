"""
One style sheet for the whole site, put together from static/css: a page asks once, and every page after it not at all.

The files stay apart in the source, one for each part of the site, and keep their order here: what comes later may
refine what came before.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

SHEET = "css/site.css"
SOURCE = Path(settings.BASE_DIR, "static/css")
PARTS = ["base", "home", "blog", "images", "account", "shop", "cart", "orders", "payment", "search"]
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
INDENTATION = re.compile(r"\n\s*")


class SheetFinder(BaseFinder):
    """Find `css/site.css`, which is made anew when one of its parts has changed."""

    def __init__(self, app_names: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.storage = FileSystemStorage(location=settings.VAR_DIR / "styles")

    def find(self, path: str, **options: Any) -> Any:  # type: ignore[override]  # its overloads differ from its code
        found = [self._made()] if path == SHEET else []
        return found if options.get("find_all") else next(iter(found), [])

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        self._made()
        yield SHEET, self.storage

    def _made(self) -> str:
        parts = [SOURCE / f"{name}.css" for name in PARTS]
        target = Path(self.storage.path(SHEET))
        if not target.exists() or target.stat().st_mtime < max(
            part.stat().st_mtime for part in [*parts, Path(__file__)]
        ):
            target.parent.mkdir(parents=True, exist_ok=True)
            # Two processes may do this at once: each replaces the whole file.
            draft = target.with_suffix(f".{os.getpid()}")
            draft.write_text("\n".join(lean(part.read_text()) for part in parts))
            draft.replace(target)
        return str(target)


def lean(style: str) -> str:
    """Take out comments and indentation, which would travel with each first visit."""
    return INDENTATION.sub("\n", COMMENT.sub("", style)).strip()
