"""The forty posts, one Markdown file each beside this module, with front matter that says what happened around them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blog.moving.folder import split

FOLDER = Path(__file__).parent / "posts"
MENTION = re.compile(r"\{product:([^}]+)\}")
FIGURE = re.compile(r"\{figure:([^|}]+)\|([^}]+)\}")


@dataclass(frozen=True)
class Text:
    """`days` is how long ago it was published; a negative number lies in the future. `cover` is "motif palette"."""

    title: str
    body: str
    tags: list[str]
    days: int
    author: str
    status: str
    cover: str
    cover_alt: str
    comments: list[tuple[str, str]]

    @property
    def figures(self) -> list[str]:
        """What stands between the paragraphs, as "motif palette"."""
        return [what for what, _alt in FIGURE.findall(self.body)]

    def body_with(self, link: Callable[[str], str], figure: Callable[[str, str], str]) -> str:
        """Return the Markdown with products replaced by `link(name)` and pictures by `figure(what it shows, alt)`."""
        with_links = MENTION.sub(lambda match: link(match[1]), self.body)
        return FIGURE.sub(lambda match: figure(match[1], match[2]), with_links)


def read(limit: int) -> list[Text]:
    return [_read(path) for path in sorted(FOLDER.glob("*.md"))[:limit]]


def _read(path: Path) -> Text:
    file, body = split(path.read_text(encoding="utf-8"))
    return Text(
        title=file["title"],
        body=body.strip(),
        tags=file["tags"],
        days=file["days"],
        author=file["author"],
        status=file.get("status", "published"),
        cover=file.get("cover", ""),
        cover_alt=file.get("cover_alt", ""),
        comments=[(name, text) for name, text in file.get("comments", [])],
    )
