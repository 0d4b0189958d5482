"""What `shown` says of a post, product or picture is all that is kept of it: after any change each page looks as if made anew."""

import datetime
import uuid
from decimal import Decimal
from unittest.mock import PropertyMock, patch

import pytest
import time_machine
from django.db import models
from django.test import Client

from account.models import User
from account.tests.factories import make_user
from actions.models import Action
from actions.stream import Line
from blog.models import Comment, Post
from blog.tests.factories import make_comment, make_post
from core.caching import memory
from images.models import Image
from images.tests.factories import make_image
from shop.models import Category, Product, ProductPicture
from shop.tests.factories import make_picture, make_product

pytestmark = pytest.mark.django_db

OTHER = {
    models.BooleanField: lambda value: not value,
    models.IntegerField: lambda value: (value or 0) + 3,
    models.DecimalField: lambda value: value + Decimal("3.50"),
    models.DateTimeField: lambda value: (value or datetime.datetime.now(datetime.UTC)) - datetime.timedelta(days=40),
    models.DateField: lambda value: (value or datetime.date(2020, 5, 5)) - datetime.timedelta(days=40),
    models.JSONField: lambda value: [{"id": 1, "name": "Another", "slug": "another"}],
    models.UUIDField: lambda value: uuid.uuid4(),
    models.FileField: lambda value: "another/picture.jpg",
    models.CharField: lambda value: f"{value or ''}x",
    models.TextField: lambda value: f"{value or ''} more",
}


def another(field, value):
    if field.choices:
        return next(choice for choice, _words in field.flatchoices if choice != value)
    return next(change for kind, change in OTHER.items() if isinstance(field, kind))(value)


def fields_of(model):
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.generated or field.is_relation)
    ]


class Site:
    def __init__(self):
        self.author = make_user("ada")
        cover = {"cover": "blog/none/cover.jpg", "cover_width": 900, "cover_height": 600}
        self.post = make_post("Walnut", author=self.author, tags=("oak",), **cover)
        self.product = make_product("Vase", stock=3)
        make_picture(self.product)
        self.things = {
            User: self.author,
            Post: self.post,
            Comment: make_comment(self.post),
            Image: make_image(),
            Category: self.product.category,
            Product: self.product,
            ProductPicture: self.product.pictures.get(),
        }
        self.member = self.reader_of_a_stream()

    def reader_of_a_stream(self):
        """Return the browser of somebody in whose stream there are post, picture and person."""
        reader, bob = make_user("reader"), make_user("bob")
        for verb, kind in [("follows", User), ("likes", Image), ("published", Post)]:
            Action.objects.record(bob, verb, self.things[kind])
        reader.follow(bob)
        reader.follow(self.author)
        Action.objects.record(self.author, "likes", self.things[Image])
        client = Client()
        client.force_login(reader)
        return client

    def pages(self):
        self.post.refresh_from_db()
        return ["/", "/blog/", self.post.get_absolute_url(), "/images/", "/shop/"]

    def seen(self):
        return [*(Client().get(page).content for page in self.pages()), self.member.get("/account/").content]

    def seen_anew(self):
        with patch("core.templatetags.fragments.cached_shown", lambda key, make: make()):
            return self.seen()

    def changes(self, model):
        """Change one field after the other; yield its name and the pages before, with what was kept, and made anew."""
        rows = model.objects.filter(pk=self.things[model].pk)
        before = self.seen()
        for field in fields_of(model):
            (value,) = rows.values_list(field.name, flat=True)
            rows.update(**{field.name: another(field, value)})
            yield field.name, before, self.seen(), self.seen_anew()
            rows.update(**{field.name: value})


@pytest.fixture
def site():
    memory.clear()
    with time_machine.travel(
        datetime.datetime.now(datetime.UTC), tick=False
    ):  # forms carry the moment they were made at
        yield Site()


SHOWN = {
    User: {"first_name", "last_name", "username"},
    Post: {
        "title",
        "slug",
        "summary",
        "tag_list",
        "cover",
        "cover_alt",
        "reading_minutes",
        "comment_count",
        "publish_at",
    },
    Comment: {"name", "body", "created_at"},
    Image: {"title", "slug", "alt", "file", "total_likes"},
    Category: {"name", "slug"},
    Product: {"name", "slug", "price", "stock"},
    ProductPicture: {"file", "alt", "width"},
}


@pytest.mark.parametrize("model", SHOWN)
def test_after_a_change_no_page_shows_what_was_kept(site, model):
    changed = set()
    for name, before, kept, anew in site.changes(model):
        assert kept == anew, name
        changed |= {name} if before != anew else set()

    assert changed >= SHOWN[model]


def test_a_line_of_the_stream_that_does_not_say_what_it_shows_is_caught(site):
    with patch.object(Line, "shown", PropertyMock(return_value=("always", "the same"))):
        assert any(kept != anew for _name, _before, kept, anew in site.changes(Image))
