"""What a reader hands to the importer, whatever system it came from."""

import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Person:
    login: str
    email: str = ""
    name: str = ""


@dataclass(frozen=True)
class CommentRecord:
    key: str
    name: str
    email: str
    body: str
    created_at: datetime
    is_approved: bool


@dataclass
class PostRecord:
    """One post. `key` names it within its source for ever, so that a second run finds it again."""

    key: str
    title: str
    body: str
    slug: str
    publish_at: datetime | None = None
    is_draft: bool = False
    author: Person | None = None
    tags: list[str] = field(default_factory=list)
    excerpt: str = ""
    cover: Path | None = None
    cover_alt: str = ""
    comments: list[CommentRecord] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the report of an import calls it."""
        return self.key if self.key.startswith("folder:") else f"{self.title} ({self.key})"


@dataclass(frozen=True)
class Skipped:
    """Something in the source that does not become a post, and why."""

    key: str
    reason: str


class Unreadable(ValueError):
    """A part of the source cannot become a post; the message says why."""


def attempt(name: str, read: Callable[[], "PostRecord | Skipped"]) -> "PostRecord | Skipped":
    """Read one post of a source; what is wrong with it is said of it alone, and the others have their turn."""
    try:
        return read()
    except Unreadable as error:
        return Skipped(name, str(error))
    except Exception:  # a shape that nobody thought of
        logger.debug("%s could not be read", name, exc_info=True)
        return Skipped(name, "something in it could not be understood")


Records = Generator[PostRecord | Skipped, None, None]
