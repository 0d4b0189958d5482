"""A blog on Wagtail with the same posts, for bench/peers.py."""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from serve import configure

APPS = [
    "wagtailpeer", "wagtail.contrib.redirects", "wagtail.sites", "wagtail.users", "wagtail.documents", "wagtail.images",
    "wagtail.search", "wagtail.admin", "wagtail", "modelcluster", "taggit", "django_filters",
]  # fmt: skip


def prepare(rows: int) -> tuple[Any, dict[str, tuple[str, Iterator[str]]]]:
    folder = os.environ["PEER_FOLDER"]
    migrations = Path(folder) / "wagtailpeer_migrations"  # made when they are wanted: Wagtail's own models have some
    migrations.mkdir()
    (migrations / "__init__.py").touch()
    sys.path.append(folder)
    configure(
        folder,
        makes="wagtailpeer",
        MIGRATION_MODULES={"wagtailpeer": migrations.name},
        APPS=APPS,
        ROOT_URLCONF="wagtail.urls",
        MORE_MIDDLEWARE=["wagtail.contrib.redirects.middleware.RedirectMiddleware"],
        WAGTAIL_SITE_NAME="Peer",
        WAGTAILADMIN_BASE_URL="http://127.0.0.1:8000",
        WAGTAILSEARCH_BACKENDS={"default": {"BACKEND": "wagtail.search.backends.database"}},
    )
    from django.core.handlers.wsgi import WSGIHandler

    fill(rows)
    lists = map("/blog/?page={}".format, range(2, rows // 10))
    posts = map("/blog/post-{}/".format, range(rows - 1, 0, -1))
    return WSGIHandler(), {"post list": ("/blog/", lists), "post": ("/blog/post-0/", posts)}


def fill(rows: int) -> None:
    from django.contrib.auth.models import User
    from django.utils import timezone
    from taggit.models import Tag
    from wagtail.models import Page, Site
    from wagtailpeer.models import BlogIndexPage, BlogPage, BlogPageTag

    from bench._rows import WORDS

    people = User.objects.bulk_create(User(username=name) for name in ("ada", "grace", "mary", "jean", "kay"))
    tags = Tag.objects.bulk_create(Tag(name=f"paper {n}", slug=f"paper-{n}") for n in range(30))
    root = Page.get_first_root_node()
    home = Site.objects.get().root_page if Site.objects.exists() else root
    Site.objects.update_or_create(
        is_default_site=True, defaults={"hostname": "127.0.0.1", "port": 8000, "root_page": home}
    )
    index = home.add_child(instance=BlogIndexPage(title="Blog", slug="blog"))
    now = timezone.now()
    for n in range(rows):
        post = index.add_child(
            instance=BlogPage(
                title=f"Post {n}", slug=f"post-{n}", owner=people[n % 5], date=now - timedelta(minutes=rows - n),
                summary=(WORDS * 5)[:280], body=f"<p>{WORDS * 20}</p>",
            )
        )  # fmt: skip
        BlogPageTag.objects.bulk_create(
            BlogPageTag(content_object=post, tag=tags[(n + step * 7) % 30]) for step in range(3)
        )
