"""
Read a WordPress export file (WXR: RSS with WordPress's own elements), one item at a time.

The file is read as a stream and each item is dropped once it is made into a record, so 10,000 posts need no more
memory than one. Names are compared without their namespace, because its address changes with WXR's version.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from html import unescape
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from django.utils.text import slugify

from .html import html_to_markdown
from .records import CommentRecord, Person, PostRecord, Records, Skipped, attempt

DRAFTS = {"draft", "pending", "private", "future-draft"}
PUBLIC = {"publish", "future"}
NO_DATE = "0000-00-00 00:00:00"


def read_wxr(path: Path, *, on_progress: Callable[[int], object] = lambda position: None) -> Records:
    """Yield a record or a reason for every item; `on_progress` is told how many bytes have been read."""
    people: dict[str, Person] = {}
    site = "wordpress"
    with path.open("rb") as file:
        try:
            for kind, element in _elements(file):
                on_progress(file.tell())
                if kind == "link":
                    site = (element.text or "").strip() or site
                elif kind == "author":
                    person = _person(element)
                    people[person.login] = person
                elif kind == "item":
                    yield _read_item(element, site, people)
        except DefusedXmlException:
            yield Skipped(path.name, "the file defines entities of its own, which no export does; nothing more is read")
        except (ParseError, ValueError) as error:
            yield Skipped(path.name, f"the file is broken from here on: {error}")


def _elements(file: IO[bytes]) -> Iterator[tuple[str, Element]]:
    """Yield the channel's own children as they end, and empty the channel behind each."""
    depth = 0
    channel: Element | None = None
    for event, element in iterparse(file, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "start" and depth == 2:
            channel = element
        elif event == "end" and depth == 2 and channel is not None:
            yield _local(element), element
            channel.clear()


def _read_item(item: Element, site: str, people: dict[str, Person]) -> PostRecord | Skipped:
    fields = {_local(child): child.text or "" for child in item if _local(child) != "encoded"}
    key = f"wxr:{site}?p={fields.get('post_id', '')}"
    name = f"{fields.get('post_type', 'item')} {unescape(fields.get('title', '')) or key}"
    if reason := _reason_to_skip(fields):
        return Skipped(name, reason)
    return attempt(name, partial(_post, item, fields, key, people))


def _post(item: Element, fields: dict[str, str], key: str, people: dict[str, Person]) -> PostRecord:
    login = fields.get("creator", "")
    title = unescape(fields.get("title", "")).strip()
    return PostRecord(
        key=key,
        title=title,
        body=html_to_markdown(_encoded(item, "content")),
        slug=slugify(_unquote(fields.get("post_name", "")) or title, allow_unicode=True),
        publish_at=_moment(fields.get("post_date_gmt", ""), fields.get("post_date", "")),
        is_draft=fields.get("status") not in PUBLIC,
        author=people.get(login, Person(login)) if login else None,
        tags=_tags(item),
        excerpt=" ".join(html_to_markdown(_encoded(item, "excerpt")).split()),
        comments=[comment for child in item if _local(child) == "comment" and (comment := _comment(child, key))],
    )


def _reason_to_skip(fields: dict[str, str]) -> str:
    kind, status = fields.get("post_type", ""), fields.get("status", "")
    if kind != "post":
        return f"a {kind or 'nameless kind'} is not a post"
    if fields.get("post_password"):
        return "it is protected by a password"
    if status not in DRAFTS | PUBLIC:
        return f"its status is {status or 'missing'}"
    return "" if fields.get("title", "").strip() else "it has no title"


def _comment(element: Element, post_key: str) -> CommentRecord | None:
    """Return the comment, or nothing for pings, spam and the bin."""
    fields = {_local(child): child.text or "" for child in element}
    created_at = _moment(fields.get("comment_date_gmt", ""), fields.get("comment_date", ""))
    body = html_to_markdown(fields.get("comment_content", ""))
    is_ping = fields.get("comment_type", "") not in ("", "comment")
    if is_ping or fields.get("comment_approved") not in ("0", "1") or not created_at or not body:
        return None
    return CommentRecord(
        key=f"{post_key}#comment-{fields.get('comment_id', '')}",
        name=unescape(fields.get("comment_author", "")).strip(),
        email=fields.get("comment_author_email", "").strip(),
        body=body,
        created_at=created_at,
        is_approved=fields.get("comment_approved") == "1",
    )


def _person(element: Element) -> Person:
    fields = {_local(child): (child.text or "").strip() for child in element}
    login = fields.get("author_login", "")
    return Person(login, fields.get("author_email", ""), unescape(fields.get("author_display_name", "")) or login)


def _tags(item: Element) -> list[str]:
    names = [
        unescape((child.text or "").strip())
        for child in item
        if _local(child) == "category" and child.get("domain") in ("category", "post_tag")
    ]
    return list(dict.fromkeys(name for name in names if name and name != "Uncategorized"))


def _moment(gmt: str, local: str) -> datetime | None:
    """Return WordPress's date as an aware one; drafts have no GMT date and then the local one is as good as any."""
    for text in (gmt, local):
        if text and text != NO_DATE:
            try:
                return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            except ValueError:
                continue
    return None


def _encoded(item: Element, kind: str) -> str:
    """Return `content:encoded` or `excerpt:encoded`: here the namespace is all that tells them apart."""
    found: Any = next((c for c in item if _local(c) == "encoded" and kind in c.tag), None)
    return (found.text or "") if found is not None else ""


def _unquote(slug: str) -> str:
    # WordPress stores slugs in other scripts percent-encoded, cut at 200 bytes even in the middle of a letter.
    return re.sub("\ufffd+", "", unquote(slug, errors="replace"))


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
