"""Posts, products and pictures for the pages to show."""

from datetime import timedelta
from typing import Any

AUTHORS, TAGS, TAGS_A_POST, CATEGORIES = 5, 30, 3, 8
WORDS = "Folded once, then again, the sheet becomes a gathering of sixteen pages. "
A_STEP = 5000


def fill(rows: int) -> None:
    """Bring each table to so many rows, written past the verbs: what is measured is reading."""
    from blog.models import Post
    from core.tasks import refresh_statistics

    have = Post.objects.count()
    for start in range(have, rows, A_STEP):
        _posts(range(start, min(start + A_STEP, rows)), rows)
        _products_and_images(range(start, min(start + A_STEP, rows)))
    _counts()
    refresh_statistics()


def _authors() -> list[Any]:
    from django.contrib.auth import get_user_model

    names = [("ada", "Ada"), ("grace", "Grace"), ("mary", "Mary"), ("jean", "Jean"), ("kay", "Kay")][:AUTHORS]
    people = get_user_model().objects
    return [
        people.get_or_create(username=name, defaults={"email": f"{name}@example.com", "first_name": first})[0]
        for name, first in names
    ]


def _posts(span: range, rows: int) -> None:
    from django.utils import timezone

    from blog.models import Comment, Post, PostTag, Tag

    authors, now = _authors(), timezone.now()
    tags = [Tag.objects.get_or_create(name=f"paper {n}", slug=f"paper-{n}")[0] for n in range(TAGS)]
    html = f"<p>{WORDS * 20}</p>"

    def labels(number: int) -> list[Any]:
        return [tags[(number + step * 7) % TAGS] for step in range(TAGS_A_POST)]

    def post(number: int) -> Post:
        at = now - timedelta(minutes=rows - number)
        return Post(
            title=f"Post {number}", slug=f"post-{number}", author=authors[number % AUTHORS], body="x", body_html=html,
            summary=(WORDS * 5)[:280], status=Post.Status.PUBLISHED, publish_at=at, publish_on=at.date(),
            is_counted=True, comment_count=number % 3,
            tag_list=[{"id": tag.pk, "name": tag.name, "slug": tag.slug} for tag in labels(number)],
        )  # fmt: skip

    posts = Post.objects.bulk_create([post(number) for number in span])
    PostTag.objects.bulk_create(
        [
            PostTag(content_object=one, tag=tag, **one.repeated_on_tags())
            for number, one in zip(span, posts, strict=True)
            for tag in labels(number)
        ]
    )
    Comment.objects.bulk_create(
        [
            Comment(post=one, name="Ann", email="ann@example.com", body=WORDS, state="approved")
            for one in posts
            for _ in range(one.comment_count)
        ]
    )


def _products_and_images(span: range) -> None:
    from images.models import Image
    from shop.models import Category, Product

    authors = _authors()
    categories = [Category.objects.get_or_create(name=f"Prints {n}", slug=f"prints-{n}")[0] for n in range(CATEGORIES)]
    Product.objects.bulk_create(
        [Product(category=categories[n % CATEGORIES], name=f"P {n}", slug=f"p-{n}", price=9, stock=n % 9) for n in span]
    )
    size = {"width": 900, "height": 600, "status": "ready"}
    Image.objects.bulk_create(
        [Image(owner=authors[n % AUTHORS], title=f"I {n}", slug=f"i-{n}", file=f"images/{n}.jpg", **size) for n in span]
    )


def _counts() -> None:
    from django.db.models import Count

    from blog.models import Post, PostCount, PostTag, Tag
    from blog.models.counts import ALL_POSTS, by_author

    for tag, number in PostTag.objects.order_by().values_list("tag").annotate(Count("pk")):
        Tag.objects.filter(pk=tag).update(post_count=number)
    authors = Post.objects.order_by().values_list("author").annotate(Count("pk"))
    numbers = {ALL_POSTS: Post.objects.count(), **{by_author(author): number for author, number in authors}}
    for name, number in numbers.items():
        PostCount.objects.update_or_create(name=name, defaults={"posts": number})
