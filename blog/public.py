"""Public posts and their comments as pages show them: read by statements of our own (core/sql.py), for they are what is asked most."""

import json
from datetime import date, datetime
from functools import cache, partial
from itertools import starmap
from typing import Any, NamedTuple

from django.utils import timezone

from core import sql
from core.caching.versions import keys_of, rows_with, shown_rows
from core.web.links import path_to

from .models.posts import IS_PUBLISHED

ON_A_CARD = """
post.id, title, slug, publish_on, publish_at, summary, tag_list, reading_minutes, comment_count,
cover, cover_alt, cover_width, cover_height, username, first_name, last_name
"""
PUBLIC = f"blog_post AS post JOIN account_user ON account_user.id = author_id WHERE {IS_PUBLISHED}"
NEWEST_FIRST = "ORDER BY publish_at DESC, post.id DESC"

ONE = f"""
SELECT {ON_A_CARD}, author_id, is_open, body_html FROM {PUBLIC} AND publish_on = %(publish_on)s AND slug = %(slug)s
"""
NEWEST = f"SELECT {ON_A_CARD} FROM {PUBLIC} {NEWEST_FIRST} LIMIT %(size)s"
# Found published, they are not asked again: SQLite would read every published post for the answer.
SOME = f"""
SELECT {ON_A_CARD} FROM blog_post AS post JOIN account_user ON account_user.id = author_id
WHERE post.id IN ({{ids}}) {NEWEST_FIRST}
"""
COMMENTS = """
SELECT id, name, body, created_at, author_id FROM blog_comment WHERE id IN ({ids}) ORDER BY created_at, id
"""


class Picture(NamedTuple):
    """What `{% picture %}` asks of a file."""

    name: str
    width: int | None
    height: int | None


class Author(NamedTuple):
    username: str
    first_name: str
    last_name: str

    def get_username(self) -> str:
        return self.username

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class PublicPost(NamedTuple):
    """A post, with the names of its model; the last three are read for its own page only."""

    pk: int
    title: str
    slug: str
    publish_on: date
    publish_at: datetime
    summary: str
    tags: str
    reading_minutes: int
    comment_count: int
    cover_name: str
    cover_alt: str
    cover_width: int | None
    cover_height: int | None
    author: Author
    author_id: int = 0
    is_open: bool = False
    body_html: str = ""

    def get_absolute_url(self) -> str:
        on = self.publish_on
        return path_to("blog:post_detail", on.year, on.month, on.day, self.slug)

    @property
    def tag_list(self) -> list[dict[str, Any]]:
        tags: list[dict[str, Any]] = json.loads(self.tags)
        return tags

    @property
    def cover(self) -> Picture | None:
        return Picture(self.cover_name, self.cover_width, self.cover_height) if self.cover_name else None


class PublicComment(NamedTuple):
    pk: int
    name: str
    body: str
    created_at: datetime
    author_id: int | None


def one(publish_on: date, slug: str) -> PublicPost | None:
    """Return the public post at an address."""
    found = _read(ONE, publish_on=publish_on, slug=slug)
    return found[0] if found else None


def newest(size: int) -> list[PublicPost]:
    return _read(NEWEST, size=size)


def posts(ids: str, **values: Any) -> list[PublicPost]:
    """Return the posts whose ids, all of public posts, the statement finds; newest first."""
    return _read(_with_ids(SOME, ids), **values)


def comments(ids: str, *, post: int, **values: Any) -> list[PublicComment]:
    """Return the comments on a post whose ids the statement finds, oldest first."""
    ask = partial(sql.rows, "blog", _with_ids(COMMENTS, ids), post=post, **values)
    found = rows_with("blog_comment", "post_id", post, ask)
    return [PublicComment(pk, name, body, sql.moment(at), author) for pk, name, body, at, author in found]


@cache
def _with_ids(statement: str, ids: str) -> str:
    return statement.format(ids=ids)


def _read(statement: str, **values: Any) -> list[PublicPost]:
    ask = partial(sql.rows, "blog", statement, now=timezone.now(), **values)
    return shown_rows("blog_post", lambda: list(starmap(_post, ask())), keys_of)


def _post(*row: Any) -> PublicPost:
    on, at, author = sql.day(row[3]), sql.moment(row[4]), Author(*row[13:16])
    columns = (*row[:3], on, at, *row[5:13], author, *row[16:])
    return PublicPost(*columns)
