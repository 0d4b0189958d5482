"""
The posts around a post: the one before, the one after, and at most four that share most tags with it.

One query finds all of them by indexes: an OR of subqueries would be answered by reading every post, a union of their
primary keys is not. Similar are posts with the same tags, the newest first among equals. Of each tag only the newest
hundred posts are compared, which is what keeps it as quick with a million posts: older ones are not similar, we decide.
"""

import datetime
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from core.caching.memory import cached

from .models import Post, PostTag
from .models.posts import is_published

SIMILAR = 4
NEWEST_OF_A_TAG = 100
TAGS_COMPARED = 10
# What a link to a post needs, and what puts it in its place.
FIELDS = ("title", "slug", "publish_on", "publish_at", "tag_list")


@dataclass
class RelatedPosts:
    previous: Post | None = None
    next: Post | None = None
    similar: list[Post] = field(default_factory=list)

    @property
    def shown(self) -> tuple[Any, ...]:
        """Return all that is shown of these posts, for `{% fragment by related.shown %}`."""
        posts = (self.previous, self.next, *self.similar)
        return tuple(post and (post.pk, post.title, post.slug, post.publish_on) for post in posts)


def related_to(post: Post) -> RelatedPosts:
    """Find the public posts around this one, in one query; asked again when a post or its tags have changed."""
    key = ("related", post.pk, post.publish_at, tuple(tag["id"] for tag in post.tag_list))
    return cached(key, partial(_find, post))


def _find(post: Post) -> RelatedPosts:
    """Ask, and sort out here which is which."""
    tags = [tag["id"] for tag in post.tag_list[:TAGS_COMPARED]]
    found = list(_query(timezone.now(), post.pk, post.publish_at, *tags))
    place = (post.publish_at, post.pk)
    older = [other for other in found if (other.publish_at, other.pk) < place]
    newer = [other for other in found if (other.publish_at, other.pk) > place]
    ranked = sorted(found, key=lambda other: (_shared(post, other), other.publish_at, other.pk), reverse=True)
    return RelatedPosts(
        previous=max(older, key=lambda other: (other.publish_at, other.pk), default=None),
        next=min(newer, key=lambda other: (other.publish_at, other.pk), default=None),
        similar=[other for other in ranked if _shared(post, other)][:SIMILAR],
    )


def _shared(post: Post, other: Post) -> int:
    return len({tag["id"] for tag in post.tag_list} & {tag["id"] for tag in other.tag_list})


def _query(now: datetime.datetime, pk: int, publish_at: datetime.datetime, *tags: int) -> QuerySet[Post]:
    posts = [_neighbour(now, pk, publish_at, "lt"), _neighbour(now, pk, publish_at, "gt")]
    if tags:
        posts.append(_similar(now, pk, tags))
    # Found published, they are not asked again: SQLite would read every published post for the answer.
    return Post.objects.filter(pk__in=_either(Post, posts)).order_by().only(*FIELDS)


def _neighbour(now: datetime.datetime, pk: int, publish_at: datetime.datetime, side: str) -> QuerySet[Any, Any]:
    beyond = Q(**{f"publish_at__{side}": publish_at}) | Q(**{"publish_at": publish_at, f"pk__{side}": pk})
    # The first condition says nothing new, but is one that an index can start from.
    posts = Post.objects.published(now).filter(**{f"publish_at__{side}e": publish_at}).filter(beyond)
    ordering = ("publish_at", "pk") if side == "gt" else ("-publish_at", "-pk")
    return posts.order_by(*ordering).values("pk")[:1]


def _similar(now: datetime.datetime, pk: int, tags: tuple[int, ...]) -> QuerySet[Any, Any]:
    newest = [PostTag.objects.newest(tag, now) for tag in tags]
    near = PostTag.objects.filter(pk__in=_either(PostTag, [rows.values("pk")[:NEWEST_OF_A_TAG] for rows in newest]))
    public = near.filter(is_published("content_object__", now=now)).exclude(content_object=pk)
    counted = public.values("content_object").annotate(tags=Count("pk"))
    closest = counted.order_by("-tags", "-content_object__publish_at", "-content_object_id")
    ids: QuerySet[Any, Any] = closest.values("content_object_id")[:SIMILAR]
    return ids


def _either(model: type[Post] | type[PostTag], limited: list[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    """Return the keys that are in one of the limited querysets; SQLite takes no LIMIT in a part of a union."""
    first, *others = [model.objects.filter(pk__in=keys).order_by().values("pk") for keys in limited]
    return first.union(*others)
