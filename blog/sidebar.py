"""
Everything that stands around a list of posts, in one query: counts, tags, latest, most read, most commented.

The counts are kept numbers plus the few posts whose hour came since they were brought up to date, so that they are
right when they are read without counting rows.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import (
    CharField,
    F,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from actions.models import ViewCount
from core.caching.memory import cached
from core.web.links import path_to

from .models import Post, PostCount, Tag
from .models.counts import ALL_POSTS, AUTHOR_PREFIX

POSTS_IN_A_BOX = 5
TAGS_SHOWN = 20
# Places in a row of the union.
NUMBER, MOMENT = 3, 4


@dataclass(frozen=True)
class Line:
    """A post in a box; `number` is how many comments or views brought it there."""

    title: str
    slug: str
    number: int
    publish_on: date

    def get_absolute_url(self) -> str:
        return path_to("blog:post_detail", *self.publish_on.timetuple()[:3], self.slug)


@dataclass(frozen=True)
class TagLine:
    id: int
    name: str
    slug: str
    post_count: int

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

    @property
    def shown(self) -> tuple[Any, ...]:
        """Return all that the boxes show, for `{% fragment by sidebar.shown %}`."""
        boxes = (self.tags, self.latest, self.most_commented, self.most_read)
        return self.total, *[tuple(lines) for lines in boxes]


type_parts = list[QuerySet[Any, tuple[Any, ...]]]
type_boxes = dict[str, list[tuple[Any, ...]]]


def read(*, tag: str = "", author: str = "") -> Sidebar:
    """
    Return the sidebar of the whole list, or of the posts with a tag (its slug) or by an author (username).

    Read again when one of its tables has changed; a post whose hour comes by itself is counted some seconds later.
    """
    return cached(("sidebar", tag, author), partial(_read, tag, author))


def _read(tag: str, author: str) -> Sidebar:
    boxes: type_boxes = {}
    for box, *row in _query(timezone.now(), tag=tag, author=author):
        boxes.setdefault(box, []).append(tuple(row))
    return _with_subject(_assemble(boxes), boxes, tag=tag, author=author)


def _query(now: datetime, *, tag: str = "", author: str = "") -> QuerySet[Any, Any]:
    parts = [_tags(), _row(PostCount.objects.filter(name=ALL_POSTS), "all", number=F("posts")), _uncounted(now)]
    if tag:
        parts.append(_tag_rows(Tag.objects.filter(slug=tag), "subject"))
    if author:
        parts.append(_author(author))
    first, *boxes = _posts(now)
    return first.union(*boxes, *parts, all=True).order_by()  # or Django 6.1 orders all of it as posts


def _row(queryset: QuerySet[Any], box: str, **columns: Any) -> QuerySet[Any, tuple[Any, ...]]:
    """
    Select (box, id, text, slug, number, moment, day); columns not given are NULL.

    The last two are ISO text, because a raw query's moments and days are text on one database and not on the other.
    """
    shape: dict[str, Any] = {
        "text": TextField(),
        "name": CharField(),
        "number": IntegerField(),
        "moment": CharField(),
        "day": CharField(),
    }
    values = {key: Cast(columns.get(key, Value(None)), kind) for key, kind in shape.items()}
    identity = columns.get("identity", F("pk"))
    # One alias each that no model field has; order_by() because a part of a union may not be ordered.
    named = {f"box_{key}": value for key, value in {"name_of": Value(box), "identity": identity, **values}.items()}
    rows: QuerySet[Any, tuple[Any, ...]] = queryset.order_by().annotate(**named).values_list(*named)
    return rows


def _posts(now: datetime) -> type_parts:
    published = Post.objects.published(now)
    commented = published.filter(comment_count__gt=0).order_by("-comment_count", "-publish_at")
    read = _views().order_by("-views").values("target_id")[: 3 * POSTS_IN_A_BOX]  # some may be public no more
    views = Subquery(_views().filter(target_id=OuterRef("pk")).values("views")[:1])
    latest = published.newest_first()
    # What was just found published is not asked again: SQLite would read every published post for the answer.
    return [
        _post_rows("latest", Post.objects.filter(pk__in=latest.values("pk")[:POSTS_IN_A_BOX]), F("comment_count")),
        _post_rows(
            "commented", Post.objects.filter(pk__in=commented.values("pk")[:POSTS_IN_A_BOX]), F("comment_count")
        ),
        _post_rows("read", published.filter(pk__in=read), views),
    ]


def _post_rows(box: str, posts: QuerySet[Post], number: Any) -> QuerySet[Any, tuple[Any, ...]]:
    return _row(
        posts,
        box,
        text=F("title"),
        name=F("slug"),
        number=number,
        moment=F("publish_at"),
        day=F("publish_on"),
    )


def _views() -> QuerySet[ViewCount]:
    return ViewCount.objects.filter(target_kind=Post._meta.label_lower)


def _tags() -> QuerySet[Any, tuple[Any, ...]]:
    largest = Tag.objects.filter(post_count__gt=0).order_by("-post_count", "name")
    return _tag_rows(Tag.objects.filter(pk__in=largest.values("pk")[:TAGS_SHOWN]), "tag")


def _tag_rows(tags: QuerySet[Tag], box: str) -> QuerySet[Any, tuple[Any, ...]]:
    return _row(tags, box, text=F("name"), name=F("slug"), number=F("post_count"))


def _author(username: str) -> QuerySet[Any, tuple[Any, ...]]:
    name = Concat(Value(AUTHOR_PREFIX), Cast(OuterRef("pk"), CharField()))
    posts = Subquery(PostCount.objects.filter(name=name).values("posts"))
    return _row(get_user_model().objects.filter(username=username), "author", number=posts)


def _uncounted(now: datetime) -> QuerySet[Any, tuple[Any, ...]]:
    return _row(Post.objects.uncounted(now), "due", text=F("tag_list"), number=F("author_id"), day=F("publish_on"))


def _assemble(rows: type_boxes) -> Sidebar:
    return Sidebar(
        total=len(rows.get("due", [])) + sum(row[NUMBER] for row in rows.get("all", [])),
        tags=sorted((TagLine(*row[:4]) for row in rows.get("tag", [])), key=lambda line: line.name.casefold()),
        latest=_lines(rows, "latest", by=MOMENT),
        most_commented=_lines(rows, "commented", by=NUMBER),
        most_read=_lines(rows, "read", by=NUMBER),
    )


def _lines(rows: type_boxes, box: str, *, by: int) -> list[Line]:
    ranked = sorted(rows.get(box, []), key=lambda row: (row[by] or 0, row[MOMENT], row[0]), reverse=True)
    return [
        Line(title, slug, number or 0, date.fromisoformat(day))
        for _id, title, slug, number, _moment, day in ranked[:POSTS_IN_A_BOX]
    ]


def _with_subject(sidebar: Sidebar, boxes: type_boxes, *, tag: str, author: str) -> Sidebar:
    due = boxes.get("due", [])
    if tag:
        found = next((TagLine(*row[:4]) for row in boxes.get("subject", [])), None)
        late = sum(any(label["slug"] == tag for label in json.loads(row[1])) for row in due)
        return replace(sidebar, subject_tag=found, subject_count=late + (found.post_count if found else 0))
    if not author:
        return replace(sidebar, subject_count=sidebar.total)
    for pk, _text, _name, posts, *_ in boxes.get("author", []):
        late = sum(row[NUMBER] == pk for row in due)
        return replace(sidebar, subject_author=pk, subject_count=(posts or 0) + late)
    return sidebar
