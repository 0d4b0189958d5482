"""
Read a Ghost export (Settings, Export: one JSON file with Ghost's tables in it).

Ghost writes `__GHOST_URL__` where its own address stood; with the address of the old site pictures can still be fetched.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from .html import html_to_markdown
from .records import Person, PostRecord, Records, Skipped, Unreadable

PLACEHOLDER = "__GHOST_URL__"
PUBLIC = {"published", "scheduled"}
Row = dict[str, Any]


@dataclass
class Export:
    """The tables that matter here, by what they are looked up with."""

    posts: list[Row]
    authors: dict[Any, Person]
    tags: dict[Any, list[str]]
    cover_alt: dict[Any, str]


def read_ghost(path: Path, *, site: str = "") -> Records:
    """Yield a record or a reason for every post and page; `site` is the address that the old site had."""
    try:
        export = _tables(json.loads(path.read_text(encoding="utf-8").replace(PLACEHOLDER, site.rstrip("/"))))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        yield Skipped(path.name, f"this is no Ghost export: {error!r:.200}")
        return
    for number, post in enumerate(export.posts, start=1):
        try:
            yield _read_post(post, export)
        except Unreadable as error:
            yield Skipped(str(post.get("title")), str(error))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield Skipped(f"post {number}", f"it is not as Ghost writes it: {error!r:.200}")


def _tables(content: Any) -> Export:
    data = (content["db"][0] if "db" in content else content)["data"]
    people = {
        user["id"]: Person(user["slug"], user.get("email") or "", user.get("name") or "") for user in data["users"]
    }
    names = {tag["id"]: tag["name"] for tag in data.get("tags", []) if not tag["name"].startswith("#")}
    tags: dict[Any, list[str]] = defaultdict(list)
    for link in sorted(data.get("posts_tags", []), key=_place):
        if link["tag_id"] in names:
            tags[link["post_id"]].append(names[link["tag_id"]])
    authors: dict[Any, Person] = {}
    for link in sorted(data.get("posts_authors", []), key=_place):
        authors.setdefault(link["post_id"], people[link["author_id"]])
    for post in data["posts"]:  # Ghost before 1.22 knew one author
        if post.get("author_id") in people:
            authors.setdefault(post["id"], people[post["author_id"]])
    alt = {each["post_id"]: each.get("feature_image_alt") or "" for each in data.get("posts_meta", [])}
    return Export(data["posts"], authors, tags, alt)


def _place(link: Row) -> int:
    return link.get("sort_order") or 0


def _read_post(post: Row, export: Export) -> PostRecord | Skipped:
    title = str(post.get("title") or "").strip()
    key = f"ghost:{post.get('uuid') or post.get('id')}"
    if reason := _reason_to_skip(post):
        return Skipped(title or key, reason)
    body = html_to_markdown(post["html"]) if post.get("html") else str(post.get("plaintext") or "")
    return PostRecord(
        key=key,
        title=title,
        body=_cover(post, export) + body,
        slug=slugify(str(post.get("slug") or title), allow_unicode=True),
        publish_at=_moment(post.get("published_at") or post.get("created_at")),
        is_draft=post.get("status") not in PUBLIC,
        author=export.authors.get(post.get("id")),
        tags=export.tags[post.get("id")],
        excerpt=str(post.get("custom_excerpt") or "").strip(),
    )


def _reason_to_skip(post: Row) -> str:
    if post.get("type", "post") != "post" or post.get("page"):
        return "a page is not a post"
    if post.get("status") == "sent":
        return "it was only sent by mail"
    if post.get("visibility", "public") != "public":
        return f"not everybody could read it ({post['visibility']})"
    return "" if str(post.get("title") or "").strip() else "it has no title"


def _cover(post: Row, export: Export) -> str:
    """Return the cover as the first picture of the text, where --fetch-images finds it."""
    address = str(post.get("feature_image") or "")
    alt = export.cover_alt.get(post.get("id"), "").replace("]", "")
    return f"![{alt}]({address})\n\n" if address else ""


def _moment(value: Any) -> datetime | None:
    """Return Ghost's moment: text, and milliseconds in old exports."""
    try:
        moment = datetime.fromtimestamp(value / 1000, UTC) if isinstance(value, int) else datetime.fromisoformat(value)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
