"""The blog's long lists (core/caching/paging.py)."""

from collections.abc import Hashable
from datetime import date

from core.caching.paging import Listing

from .models import Comment, Post, PostQuerySet, PostTag
from .models.comments import CommentQuerySet


def posts() -> Listing:
    return _of_posts("posts", Post.objects.published())


def posts_of_a_tag(tag: int) -> Listing:
    rows, order = PostTag.objects.newest(tag), ["-publish_at", "-content_object_id"]
    return Listing(("posts of a tag", tag), rows, order, _cards, of=Post, ids="content_object_id")


def posts_of_an_author(author: int) -> Listing:
    return _of_posts(("posts of an author", author), Post.objects.published().by(author))


def posts_of_a_period(first: date, last: date) -> Listing:
    return _of_posts(("posts of a period", first, last), Post.objects.published().in_period(first, last))


def comments(post: int) -> Listing:
    rows = Comment.objects.approved().filter(post=post)
    return Listing(("comments", post), rows, ["created_at", "pk"], CommentQuerySet.oldest_first)


def _of_posts(key: Hashable, rows: PostQuerySet) -> Listing:
    return Listing(key, rows, ["-publish_at", "-pk"], _cards)


def _cards(rows: PostQuerySet) -> PostQuerySet:
    return rows.newest_first().cards()
