"""The blog's long lists (core/caching/paging.py)."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from core.caching.paging import Listing, LongList, StatementListing

from . import public, text
from .models import Comment, Post, PostQuerySet, PostTag
from .models.comments import CommentQuerySet
from .models.posts import IS_PUBLISHED

NEWEST_FIRST = ["-publish_at", "-pk"]
OF_ALL = f"SELECT id FROM blog_post WHERE {IS_PUBLISHED}"
OF_AN_AUTHOR = f"{OF_ALL} AND author_id = %(author)s"
# A tag on a post repeats what is asked here, so that it comes straight from an index.
OF_A_TAG = """
SELECT content_object_id FROM blog_posttag WHERE is_published AND publish_at <= %(now)s AND tag_id = %(tag)s
"""
# CROSS: SQLite would look at every public post for whether it mentions the place.
OF_A_PLACE = f"""
SELECT post_id FROM blog_mention CROSS JOIN blog_post
WHERE blog_post.id = post_id AND place = %(place)s AND {IS_PUBLISHED}
"""
OF_A_POST = "SELECT id FROM blog_comment WHERE state = 'approved' AND post_id = %(post)s"


def posts() -> LongList:
    return _of_posts("posts", Post.objects.published, OF_ALL)


def posts_of_a_tag(tag: int) -> LongList:
    key, order, by = ("posts of a tag", tag), ["-publish_at", "-content_object_id"], ("publish_at", "content_object_id")
    rows = partial(PostTag.objects.newest, tag)
    return StatementListing(key, rows, order, OF_A_TAG, by, public.posts, {"tag": tag})


def posts_of_an_author(author: int) -> LongList:
    key = ("posts of an author", author)
    return _of_posts(key, lambda: Post.objects.published().by(author), OF_AN_AUTHOR, author=author)


def posts_about(path: str) -> LongList:
    """Return the posts that link to the page at this path."""
    place, rows = text.place(path), Post.objects.published
    key, by = ("posts about", place), ("publish_at", "post_id")
    return StatementListing(
        key, lambda: rows().mentioning(path), NEWEST_FIRST, OF_A_PLACE, by, public.posts, {"place": place}
    )


def posts_of_a_period(first: date, last: date) -> LongList:
    rows = Post.objects.published().in_period(first, last)
    return Listing(("posts of a period", first, last), rows, NEWEST_FIRST, _cards)


def comments(post: int) -> LongList:
    key, order, by = ("comments", post), ["created_at", "pk"], ("created_at", "id")
    rows = partial(_approved, post)
    return StatementListing(key, rows, order, OF_A_POST, by, public.comments, {"post": post})


def _of_posts(key: Any, rows: Callable[[], PostQuerySet], ids: str, **values: Any) -> LongList:
    return StatementListing(key, rows, NEWEST_FIRST, ids, ("publish_at", "id"), public.posts, values)


def _approved(post: int) -> CommentQuerySet:
    return Comment.objects.approved().filter(post=post)


def _cards(rows: PostQuerySet) -> PostQuerySet:
    return rows.newest_first().cards()
