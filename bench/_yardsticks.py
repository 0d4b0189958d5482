"""
What other pages are measured in, each behind a WSGI handler of its own:

- bare: 20,480 constant bytes from a Django view, with no middleware and nothing else;
- const: the same bytes behind the middleware of `startproject`;
- plain list: a well-written Django page of the newest posts behind that middleware, in four queries;
- tutorial list: the same page as tutorials write it, in some two dozen queries, COUNT and sums among them.

The lists read the same rows as our own list of posts, show the same of them, and are filled up to as many bytes.
"""

from functools import cache
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.template.backends.django import DjangoTemplates
from django.test import override_settings
from django.utils import timezone

BODY = b"x" * 20_480
POSTS, LATEST, TAGS = 10, 5, 20
STARTPROJECT = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
filling = {"bytes": 0}


def constant(request: HttpRequest) -> HttpResponse:
    return HttpResponse(BODY)


def plain_list(request: HttpRequest) -> HttpResponse:
    from blog.models import Post, PostTag, Tag

    public = Post.objects.filter(status="published", publish_at__lte=timezone.now()).defer("body", "body_html")
    tags = Prefetch("post_tags", PostTag.objects.select_related("tag").order_by("pk"))
    return page(
        posts=public.select_related("author").prefetch_related(tags).order_by("-publish_at", "-pk")[:POSTS],
        latest=public.order_by("-publish_at", "-pk")[:LATEST],
        tags=Tag.objects.order_by("-post_count", "name")[:TAGS],
    )


def tutorial_list(request: HttpRequest) -> HttpResponse:
    from blog.models import Post, Tag

    public = Post.objects.filter(status="published", publish_at__lte=timezone.now()).order_by("-publish_at", "-pk")
    shown = Q(post_tags__content_object__status="published")
    return page(
        posts=Paginator(public, POSTS).get_page(request.GET.get("page")),
        total=public.count(),
        latest=public[:LATEST],
        tags=Tag.objects.annotate(number=Count("post_tags", filter=shown)).order_by("-number", "name")[:TAGS],
    )


def page(**context: Any) -> HttpResponse:
    template = templates().get_template("plain_list.html")
    return HttpResponse(template.render({**context, "filling": "x" * filling["bytes"]}))


@cache
def templates() -> DjangoTemplates:
    folder = Path(__file__).parent / "templates"
    return DjangoTemplates({"NAME": "bench", "DIRS": [folder], "APP_DIRS": False, "OPTIONS": {}})


class YardstickRequest(WSGIRequest):
    urlconf = "bench._addresses"


class Yardstick(WSGIHandler):
    """A handler whose middleware is the one given, whatever the settings say."""

    request_class = YardstickRequest

    def __init__(self, *middleware: str) -> None:
        with override_settings(MIDDLEWARE=list(middleware)):
            super().__init__()
