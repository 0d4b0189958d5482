"""
Whether what is stored of posts is what would be made of them today, and putting it right.

Needed after the renderer has changed, and after somebody changed rows behind the verbs' back (SQL, a bulk update).
"""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from content import markdown
from search import index

from . import text
from .models import Mention, Post, PostCount, PostTag, Tag
from .models.counts import ALL_POSTS, by_author

type_drift = tuple[str, list[str]]
COUNTED = Q(post_tags__content_object__is_counted=True)


def rebuild(*, write: bool) -> Iterator[type_drift | None]:
    """Go through all posts, then the counters; yield what was out of step (or None for a post that was not)."""
    for pk in Post.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=1000):
        yield _rebuild_post(pk, write=write)
    with transaction.atomic():
        yield from _rebuild_counters(write=write)


def _rebuild_post(pk: int, *, write: bool) -> type_drift | None:
    with transaction.atomic():
        post = Post.objects.select_for_update().filter(pk=pk).first()
        if post is None:
            return None
        try:
            made = _made(post)
        except markdown.Refused as error:
            return str(post), [f"the text can not be rendered: {error}"]
        wrong = [name for name, value in made.items() if getattr(post, name) != value]
        if wrong and write:
            Post.objects.filter(pk=pk).update(**{name: made[name] for name in wrong})
            for name in wrong:
                setattr(post, name, made[name])
            Mention.of(post)
            index.write(post)
        if _strayed_tags(post).exists():
            wrong.append("what its tags repeat of it")
            if write:
                _strayed_tags(post).update(**post.repeated_on_tags())
        return (str(post), wrong) if wrong else None


def align_tags(pk: int) -> int:
    """Let the post's tags repeat what it says now; return how many did not."""
    with transaction.atomic():
        post = Post.objects.select_for_update().filter(pk=pk).first()
        return _strayed_tags(post).update(**post.repeated_on_tags()) if post else 0


def _strayed_tags(post: Post) -> Any:
    return PostTag.objects.filter(content_object=post).exclude(**post.repeated_on_tags())


def _made(post: Post) -> dict[str, Any]:
    """Return what should be stored of a post. Its address stays as it is, whatever the site's time zone is now."""
    html = post.rendered()
    tags = PostTag.objects.filter(content_object=post).order_by("pk").values_list("tag_id", "tag__name", "tag__slug")
    return {
        "body_html": html,
        "summary": post.excerpt or text.summarise(html),
        "reading_minutes": text.reading_minutes(html),
        "tag_list": [{"id": pk, "name": name, "slug": slug} for pk, name, slug in tags],
        "comment_count": post.comments.approved().count(),
        "is_counted": post.is_public,
    }


def _rebuild_counters(*, write: bool) -> Iterator[type_drift]:
    """Count again while nobody else counts. Posts whose hour came a moment ago are left to the sweep."""
    list(PostCount.objects.select_for_update().order_by("pk"))
    list(Tag.objects.select_for_update().order_by("pk").values_list("pk"))
    counted = Post.objects.filter(is_counted=True) if write else Post.objects.published()
    expected = {ALL_POSTS: counted.count()} | {
        by_author(author): number for author, number in counted.order_by().values_list("author").annotate(Count("pk"))
    }
    for count in PostCount.objects.order_by("pk"):
        yield from _correct(count, "posts", expected.pop(count.name, 0), write=write)
    for name, number in expected.items():
        yield from _correct(PostCount(name=name), "posts", number, write=write)
    public = (
        COUNTED
        if write
        else Q(
            post_tags__content_object__status=Post.Status.PUBLISHED,
            post_tags__content_object__publish_at__lte=timezone.now(),
        )
    )
    for tag in Tag.objects.annotate(found=Count("post_tags", filter=public)).order_by("pk"):
        yield from _correct(tag, "post_count", tag.found, write=write)


def _correct(row: PostCount | Tag, field: str, number: int, *, write: bool) -> Iterator[type_drift]:
    if getattr(row, field) == number:
        return
    yield str(row), [f"{field} should be {number}"]
    if write:
        setattr(row, field, number)
        row.save()
