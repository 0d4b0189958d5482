"""
Posts, products and pictures for the pages to show.

bench/mix.py fills other revisions with them too, so what went by another name there is looked for by both.
"""

from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from typing import Any

AUTHORS, TAGS, TAGS_A_POST, CATEGORIES = 5, 30, 3, 8
PICTURES_A_PERSON = 20
WORDS = "Folded once, then again, the sheet becomes a gathering of sixteen pages. "
A_STEP = 5000


def fill(posts: int, *, pictures: int | None = None, products: int | None = None) -> None:
    """Bring each table to so many rows, by default as many; past the verbs, since what is measured is reading."""
    from blog.models import Post
    from images.models import Image
    from shop.models import Product

    for model, wanted, write in [
        (Post, posts, lambda span: _posts(span, posts)),
        (Image, posts if pictures is None else pictures, _pictures),
        (Product, posts if products is None else products, _products),
    ]:
        for start in range(model._default_manager.count(), wanted, A_STEP):
            write(range(start, min(start + A_STEP, wanted)))
    _counts()
    _found("core.tasks", "config.tasks").refresh_statistics()


def _found(*modules: str) -> Any:
    """Return the module by the name it has in this revision: ours, or an earlier one."""
    for name in modules:
        with suppress(ModuleNotFoundError):
            return import_module(name)
    raise ModuleNotFoundError(" or ".join(modules))


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


def _products(span: range) -> None:
    from shop.models import Category, Product

    categories = [Category.objects.get_or_create(name=f"Prints {n}", slug=f"prints-{n}")[0] for n in range(CATEGORIES)]
    Product.objects.bulk_create(
        [Product(category=categories[n % CATEGORIES], name=f"P {n}", slug=f"p-{n}", price=9, stock=n % 9) for n in span]
    )


def _pictures(span: range) -> None:
    from images.models import Image

    owners, size = _people(span), {"width": 900, "height": 600, "status": "ready"}
    Image.objects.bulk_create(
        [
            Image(owner=owners[n % len(owners)], title=f"I {n}", slug=f"i-{n}", file=f"images/{n}.jpg", **size)
            for n in span
        ]
    )


def _people(span: range) -> list[Any]:
    """Make as many people as these pictures have owners."""
    from django.contrib.auth import get_user_model

    person, numbers = get_user_model(), range(span.start, span.stop, PICTURES_A_PERSON)
    return person.objects.bulk_create(
        person(username=f"person-{n}", email=f"person-{n}@example.com", first_name=f"P{n}") for n in numbers
    )


def _counts() -> None:
    from django.db.models import Count

    from blog.models import Post, PostTag, Tag

    counts = _found("blog.models.counts", "blog.models.tallies")
    model = getattr(counts, "PostCount", None) or counts.Tally
    for tag, number in PostTag.objects.order_by().values_list("tag").annotate(Count("pk")):
        Tag.objects.filter(pk=tag).update(post_count=number)
    authors = Post.objects.order_by().values_list("author").annotate(Count("pk"))
    numbers = {
        counts.ALL_POSTS: Post.objects.count(),
        **{counts.by_author(author): number for author, number in authors},
    }
    for name, number in numbers.items():
        model.objects.update_or_create(name=name, defaults={"posts": number})
    with suppress(ModuleNotFoundError):  # earlier revisions count products when they are asked
        list(import_module("shop.counts").recount(write=True))
