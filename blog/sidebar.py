"""
What stands around a list of posts: counts, tags, latest, most read, most commented.

The counts are kept numbers plus the few posts whose hour came since they were brought up to date, so that they are
right when they are read without counting rows. The boxes are the same beside every list, and are read again when one of
their tables has changed; what a list is about, its tag or its author, is asked each time.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.utils import timezone

from core import sql
from core.caching.memory import cached
from core.web.links import path_to

from .lines import Line, line
from .models.counts import ALL_POSTS, AUTHOR_PREFIX
from .models.posts import IS_PUBLISHED

POSTS_IN_A_BOX = 5
TAGS_SHOWN = 20

# Of those most read some may be public no more.
LINES = f"""
SELECT * FROM (
    SELECT 'latest' AS box, title, slug, publish_on, 0 AS number, publish_at, id FROM blog_post WHERE {IS_PUBLISHED}
    ORDER BY publish_at DESC, id DESC LIMIT {POSTS_IN_A_BOX}
) AS latest
UNION ALL
SELECT * FROM (
    SELECT 'most_commented' AS box, title, slug, publish_on, comment_count AS number, publish_at, id FROM blog_post
    WHERE {IS_PUBLISHED} AND comment_count > 0 ORDER BY comment_count DESC, publish_at DESC LIMIT {POSTS_IN_A_BOX}
) AS commented
UNION ALL
SELECT 'most_read' AS box, title, slug, publish_on, views AS number, publish_at, id
FROM (
    SELECT target_id, views FROM actions_viewcount WHERE target_kind = 'blog.post'
    ORDER BY views DESC LIMIT {3 * POSTS_IN_A_BOX}
) AS looked_at
JOIN blog_post ON id = target_id
WHERE {IS_PUBLISHED}
ORDER BY number DESC, publish_at DESC, id DESC
"""

NUMBERS = f"""
SELECT * FROM (
    SELECT 'tag' AS box, name, slug, post_count AS number FROM blog_tag WHERE post_count > 0
    ORDER BY post_count DESC, name LIMIT {TAGS_SHOWN}
) AS largest
UNION ALL
SELECT 'all' AS box, '' AS name, '' AS slug, posts AS number FROM blog_tally WHERE name = '{ALL_POSTS}'
UNION ALL
SELECT 'due' AS box, CAST(tag_list AS text) AS name, '' AS slug, author_id AS number FROM blog_post
WHERE {IS_PUBLISHED} AND NOT is_counted
"""

TAG = "SELECT name, slug, post_count, id FROM blog_tag WHERE slug = %(slug)s"

AUTHOR = f"""
SELECT account_user.id, posts FROM account_user
LEFT JOIN blog_tally ON blog_tally.name = '{AUTHOR_PREFIX}' || CAST(account_user.id AS text)
WHERE username = %(username)s
"""


class TagLine(NamedTuple):
    name: str
    slug: str
    post_count: int
    id: int = 0

    def get_absolute_url(self) -> str:
        return path_to("blog:post_list_by_tag", self.slug)


@dataclass(frozen=True)
class Sidebar:
    """`subject_count` is the number of posts in the list asked about; `subject_tag` its tag, if it has one."""

    total: int = 0
    subject_count: int = 0
    subject_tag: TagLine | None = None
    subject_author: int = 0
    tags: list[TagLine] = field(default_factory=list)
    latest: list[Line] = field(default_factory=list)
    most_commented: list[Line] = field(default_factory=list)
    most_read: list[Line] = field(default_factory=list)
    # The tags and authors of posts whose hour has come and that nobody has counted.
    due: list[tuple[str, int]] = field(default_factory=list)
    shown: str = ""


def read(*, tag: str = "", author: str = "") -> Sidebar:
    """
    Return the sidebar of the whole list, or of the posts with a tag (its slug) or by an author (username).

    A post whose hour comes by itself is counted some seconds later.
    """
    boxes = cached(("sidebar",), _read)
    if tag:
        return _of_tag(boxes, tag)
    return _of_author(boxes, author) if author else boxes


def _read() -> Sidebar:
    now = timezone.now()
    lines: dict[str, list[Line]] = defaultdict(list)
    for box, *columns, _moment, _id in sql.rows("blog", LINES, now=now):
        if len(lines[box]) < POSTS_IN_A_BOX:
            lines[box].append(line(*columns))
    numbers: dict[str, list[Any]] = defaultdict(list)
    for box, *row in sql.rows("blog", NUMBERS, now=now):
        numbers[box].append(row)
    total = len(numbers["due"]) + sum(posts for *_, posts in numbers["all"])
    tags = sorted((TagLine(*row) for row in numbers["tag"]), key=lambda tag: tag.name.casefold())
    due = [(tag_list, author) for tag_list, _slug, author in numbers["due"]]
    boxes = lines["latest"], lines["most_commented"], lines["most_read"]
    # What it looks like is written down once, for `{% fragment by sidebar.shown %}`.
    return Sidebar(total, total, None, 0, tags, *boxes, due, repr((total, tags, boxes)))


def _of_tag(boxes: Sidebar, slug: str) -> Sidebar:
    found = [TagLine(*row) for row in sql.rows("blog", TAG, slug=slug)]
    late = sum(any(label["slug"] == slug for label in json.loads(tag_list)) for tag_list, _author in boxes.due)
    tag = found[0] if found else None
    return replace(boxes, subject_tag=tag, subject_count=late + (tag.post_count if tag else 0))


def _of_author(boxes: Sidebar, username: str) -> Sidebar:
    for pk, posts in sql.rows("blog", AUTHOR, username=username):
        late = sum(author == pk for _tag_list, author in boxes.due)
        return replace(boxes, subject_author=pk, subject_count=(posts or 0) + late)
    return replace(boxes, subject_count=0)
