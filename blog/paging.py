"""The blog's lists and pages, each with the SQL that it is asked by (core/caching/paging.py)."""

from datetime import date

from core.caching.keptsql import KeptSql
from core.caching.paging import FAR, Listing, type_rows

from .models import Comment, Post, PostQuerySet, PostTag
from .models.posts import PAGE_FIELDS

SUBJECT = -1  # a mark: the id of the tag, author or post


def _cards(posts: PostQuerySet) -> PostQuerySet:
    return posts.newest_first().cards()


def _oldest_first(comments: type_rows) -> type_rows:
    return comments.order_by("created_at", "pk")


POSTS = Listing(lambda now: Post.objects.published(now).newest_first(), _cards)
POSTS_OF_A_TAG = Listing(
    lambda now, tag: PostTag.objects.newest(tag, now), _cards, SUBJECT, of=Post, ids="content_object_id"
)
POSTS_OF_AN_AUTHOR = Listing(lambda now, by: Post.objects.published(now).by(by).newest_first(), _cards, SUBJECT)
COMMENTS = Listing(
    lambda now, post: _oldest_first(Comment.objects.approved().filter(post=post)), _oldest_first, SUBJECT
)


POST = KeptSql(
    lambda now, day, slug: (
        Post.objects.published(now).filter(publish_on=day, slug=slug).select_related("author").only(*PAGE_FIELDS)
    ),
    *(FAR, date(9998, 1, 2), "\x01slug"),
    long="body_html",
)


def posts_of_a_period(first: date, last: date) -> Listing:
    """Return a list whose SQL is made each time: its bounds are reckoned with before they become values."""
    return Listing(lambda now: Post.objects.published(now).in_period(first, last).newest_first(), _cards)
