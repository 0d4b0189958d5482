"""
Fills the database of one revision for bench/mix.py and prints what there is to visit, as JSON.

It runs in that revision's tree; the rows come from bench/_rows.py of the tree that measures, so that all revisions get
the same.
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

MEMBERS = 300


def main(posts: int, pictures: int, products: int) -> None:
    rows().fill(posts, pictures=pictures, products=products)
    people = members()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    json.dump({**addresses(), "members": people}, sys.stdout)


def rows() -> Any:
    spec = importlib.util.spec_from_file_location("mix_rows", Path(__file__).parents[1] / "_rows.py")
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def members() -> list[dict[str, str]]:
    """Make members who are logged in; nobody else is called by such a first name."""
    person = get_user_model()
    known = {field.name for field in person._meta.fields}
    proven = {"email_proven_at": timezone.now()} if "email_proven_at" in known else {}
    person.objects.bulk_create(
        person(username=f"mira-{n}", first_name=f"Mira{n:04}", email=f"mira-{n}@example.com", **proven)
        for n in range(MEMBERS)
    )
    return [
        {"name": one.first_name, "username": one.username, "cookie": cookie_of(one)}
        for one in person.objects.filter(username__startswith="mira-").order_by("pk")
    ]


def cookie_of(person: Any) -> str:
    client = Client()
    client.force_login(person, next(name for name in settings.AUTHENTICATION_BACKENDS if "UsernameOrEmail" in name))
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def addresses() -> dict[str, Any]:
    """Return what can be visited, the newest first, as a visitor would want it; things that are written to with their id."""
    from blog.models import Post, Tag
    from images.models import Image
    from shop.models import Category, Product

    def of(found: Any) -> list[list[Any]]:
        return [[one.pk, one.get_absolute_url()] for one in found.iterator(5000)]

    return {
        "session": settings.SESSION_COOKIE_NAME,
        "posts": of(Post.objects.order_by("-publish_at").only("pk", "slug", "publish_at", "publish_on")),
        "pictures": of(Image.objects.order_by("-pk").only("pk", "slug")),
        "products": of(Product.objects.order_by("-pk").only("pk", "slug")),
        "stock": list(Product.objects.order_by("-pk").values_list("stock", flat=True)),
        "tags": of(Tag.objects.order_by("pk")),
        "categories": of(Category.objects.order_by("pk")),
    }


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
