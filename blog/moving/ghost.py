"""
Read a Ghost export (Settings, Export: one JSON file with Ghost's tables in it).

Ghost writes `__GHOST_URL__` where its own address stood; with the address of the old site pictures can still be fetched.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from .html import html_to_markdown
from .records import Person, PostRecord, Records, Skipped, Unreadable, attempt

PLACEHOLDER = "__GHOST_URL__"
PUBLIC = {"published", "scheduled"}
Row = dict[str, Any]


@dataclass
class Export:
    """The tables that matter here, by what they are looked up with."""

    posts: list[Any]
    authors: dict[str, Person]
    tags: dict[str, list[str]]
    cover_alt: dict[str, str]


def read_ghost(path: Path, *, site: str = "") -> Records:
    """Yield a record or a reason for every post and page; `site` is the address that the old site had."""
    try:
        export = _export(_data(path.read_text(encoding="utf-8").replace(PLACEHOLDER, site.rstrip("/"))))
    except UnicodeDecodeError:
        yield Skipped(path.name, "this is no Ghost export: it is not UTF-8 text")
    except Unreadable as error:
        yield Skipped(path.name, f"this is no Ghost export: {error}")
    else:
        for number, post in enumerate(export.posts, start=1):
            name = (_text(post, "title") if isinstance(post, dict) else "") or f"post {number}"
            yield attempt(name, partial(_read_post, post, name, export))


def _data(text: str) -> Row:
    """Return the export's tables, which stand in one list more since Ghost 1; raises Unreadable."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {error.lineno} is not JSON") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is not JSON that can be read") from error
    outer = content.get("db", content) if isinstance(content, dict) else None
    inner = outer[0] if isinstance(outer, list) and outer else outer
    data = inner.get("data") if isinstance(inner, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("posts"), list):
        raise Unreadable("it has no table of posts")
    return data


def _export(data: Row) -> Export:
    people = {_text(user, "id"): _person(user) for user in _rows(data, "users")}
    names = {_text(tag, "id"): _text(tag, "name") for tag in _rows(data, "tags")}
    tags: dict[str, list[str]] = defaultdict(list)
    for link in sorted(_rows(data, "posts_tags"), key=_place):
        name = names.get(_text(link, "tag_id"), "")
        if name and not name.startswith("#"):
            tags[_text(link, "post_id")].append(name)
    authors: dict[str, Person] = {}
    for link in sorted(_rows(data, "posts_authors"), key=_place):
        if _text(link, "author_id") in people:
            authors.setdefault(_text(link, "post_id"), people[_text(link, "author_id")])
    for post in _rows(data, "posts"):  # Ghost before 1.22 knew one author
        if _text(post, "author_id") in people:
            authors.setdefault(_text(post, "id"), people[_text(post, "author_id")])
    alt = {_text(each, "post_id"): _text(each, "feature_image_alt") for each in _rows(data, "posts_meta")}
    return Export(data["posts"], authors, tags, alt)


def _rows(data: Row, table: str) -> list[Row]:
    rows = data.get(table)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _text(row: Row, name: str) -> str:
    """Return the field as text; nothing for what is missing, and for lists and the like."""
    value = row.get(name)
    return str(value).strip() if isinstance(value, str | int) else ""


def _person(user: Row) -> Person:
    return Person(_text(user, "slug") or _text(user, "name"), _text(user, "email"), _text(user, "name"))


def _place(link: Row) -> int:
    place = link.get("sort_order")
    return place if isinstance(place, int) else 0


def _read_post(post: Any, name: str, export: Export) -> PostRecord | Skipped:
    if not isinstance(post, dict):
        raise Unreadable("it is not as Ghost writes a post")
    if reason := _reason_to_skip(post):
        return Skipped(name, reason)
    number = _text(post, "id")
    return PostRecord(
        key=f"ghost:{_text(post, 'uuid') or number}",
        title=_text(post, "title"),
        body=_cover(post, export) + _body(post),
        slug=slugify(_text(post, "slug") or _text(post, "title"), allow_unicode=True),
        publish_at=_moment(post.get("published_at") or post.get("created_at")),
        is_draft=_text(post, "status") not in PUBLIC,
        author=export.authors.get(number),
        tags=export.tags[number],
        excerpt=_text(post, "custom_excerpt"),
    )


def _body(post: Row) -> str:
    if not all(isinstance(post.get(field), str | None) for field in ("html", "plaintext")):
        raise Unreadable("its text is not text")
    return html_to_markdown(post["html"]) if post.get("html") else _text(post, "plaintext")


def _reason_to_skip(post: Row) -> str:
    if _text(post, "type") not in ("", "post") or post.get("page"):
        return "a page is not a post"
    if _text(post, "status") == "sent":
        return "it was only sent by mail"
    if (visibility := _text(post, "visibility")) not in ("", "public"):
        return f"not everybody could read it ({visibility})"
    if not _text(post, "uuid") and not _text(post, "id"):
        return "it has no number, so a second import would not find it again"
    return "" if _text(post, "title") else "it has no title"


def _cover(post: Row, export: Export) -> str:
    """Return the cover as the first picture of the text, where --fetch-images finds it."""
    address = _text(post, "feature_image")
    alt = export.cover_alt.get(_text(post, "id"), "").replace("]", "")
    return f"![{alt}]({address})\n\n" if address else ""


def _moment(value: Any) -> datetime | None:
    """Return Ghost's moment: text, and milliseconds in old exports."""
    try:
        moment = datetime.fromtimestamp(value / 1000, UTC) if isinstance(value, int) else datetime.fromisoformat(value)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
