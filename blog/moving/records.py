"""What a reader hands to the importer, whatever system it came from."""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


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


@dataclass(frozen=True)
class Skipped:
    """Something in the source that does not become a post, and why."""

    key: str
    reason: str


class Unreadable(ValueError):
    """A part of the source cannot become a post; the message says why."""


Records = Generator[PostRecord | Skipped, None, None]
