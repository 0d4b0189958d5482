"""
What pages cost in bare constant pages (bench/_bare.py), kept in memory and made anew, and how that grows with rows.

The WSGI callable is called in this process; the figure is CPU time, the least of several blocks, contenders taken in
turn. A database of its own is filled twice: with BENCH_ROWS/100 and then with BENCH_ROWS posts, products and images.
"""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
BLOCKS, SECONDS_A_BLOCK = 7, 0.15
PAGES = {
    "post list": "/blog/",
    "post list, last page": "/blog/?page=999999999",
    "post list of a tag": "/blog/tag/paper/",
    "post": "",  # the newest
    "image list": "/images/",
    "product list": "/shop/",
    "home": "/",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"VAR_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "DEBUG": "true"}
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        settings.DEBUG = False  # or Django keeps every statement
        settings.ALLOWED_HOSTS = ["*"]
        call_command("migrate", verbosity=0)
        fill(max(ROWS // 100, 100))
        few = measure()
        fill(ROWS)
        report(few, measure())


def fill(rows: int) -> None:
    """Bring each table to so many rows, written past the verbs: what is measured is reading."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from blog.models import Post, PostTag, Tag, Tally
    from blog.models.tallies import ALL_POSTS, by_author
    from config.tasks import refresh_statistics
    from images.models import Image
    from shop.models import Category, Product

    author, _ = get_user_model().objects.get_or_create(username="ada", defaults={"email": "ada@example.com"})
    category, _ = Category.objects.get_or_create(name="Prints", slug="prints")
    tag, _ = Tag.objects.get_or_create(name="paper", slug="paper")
    now, body = timezone.now(), "<p>" + "Folded once, then again. " * 60 + "</p>"
    have = Post.objects.count()

    def post(number: int) -> Post:
        at = now - timedelta(minutes=rows - number)
        return Post(
            title=f"Post {number}", slug=f"post-{number}", author=author, body="x", body_html=body, summary=body[3:280],
            status=Post.Status.PUBLISHED, publish_at=at, publish_on=at.date(), is_counted=True,
            tag_list=[{"id": tag.pk, "name": "paper", "slug": "paper"}],
        )  # fmt: skip

    for start in range(have, rows, 5000):
        span = range(start, min(start + 5000, rows))
        posts = Post.objects.bulk_create([post(number) for number in span])
        PostTag.objects.bulk_create([PostTag(content_object=p, tag=tag, publish_at=p.publish_at) for p in posts])
        Product.objects.bulk_create(
            [Product(category=category, name=f"P {n}", slug=f"p-{n}", price=9, stock=5) for n in span]
        )
        Image.objects.bulk_create(
            [
                Image(
                    owner=author,
                    title=f"I {n}",
                    slug=f"i-{n}",
                    file=f"images/{n}.jpg",
                    width=900,
                    height=600,
                    status="ready",
                )
                for n in span
            ]
        )
    refresh_statistics()
    Tag.objects.filter(pk=tag.pk).update(post_count=rows)
    for name in (ALL_POSTS, by_author(author.pk)):
        Tally.objects.update_or_create(name=name, defaults={"posts": rows})


def measure() -> dict[str, tuple[float, float, int, int]]:
    """Return for each page its cost kept and anew, in bare constant pages, its bytes and its queries."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from bench._bare import BareHandler
    from blog.models import Post
    from config.pagecache import PageCache

    newest = Post.objects.published().newest_first()[:1].get().get_absolute_url()
    pages = {name: address or newest for name, address in PAGES.items()}
    django_alone, bare = WSGIHandler(), BareHandler()
    cached = PageCache(django_alone)
    contenders: dict[str, Callable[[], bytes]] = {"bare": lambda: call(bare, "/constant/")}
    facts = {}
    for name, address in pages.items():
        with CaptureQueriesContext(connection) as queries:
            size = len(call(django_alone, address))
        facts[name] = size, len(queries)
        contenders[f"anew {name}"] = lambda address=address: call(django_alone, address)
        contenders[f"kept {name}"] = lambda address=address: call(cached, address)
    cost = interleave(contenders)
    return {
        name: (cost[f"kept {name}"] / cost["bare"], cost[f"anew {name}"] / cost["bare"], *facts[name]) for name in pages
    }


def call(application: Callable[..., Any], address: str) -> bytes:
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000",
        "HTTP_HOST": "127.0.0.1:8000", "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(), "wsgi.errors": BytesIO(), "wsgi.multithread": True, "HTTP_USER_AGENT": "bench",
    }  # fmt: skip
    response = application(environ, lambda status, headers, exc_info=None: check(status, address))
    body = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    return body


def check(status: str, address: str) -> None:
    if not status.startswith("200"):
        raise RuntimeError(f"{address}: {status}")


def interleave(contenders: dict[str, Callable[[], bytes]]) -> dict[str, float]:
    """Return the least CPU seconds a call, over blocks in which the contenders take turns."""
    best = dict.fromkeys(contenders, float("inf"))
    for _block in range(BLOCKS):
        for name, act in contenders.items():
            calls, begun = 0, time.process_time()
            while (spent := time.process_time() - begun) < SECONDS_A_BLOCK / 3 or calls < 3:
                act()
                calls += 1
            best[name] = min(best[name], spent / calls)
    return best


def report(few: dict[str, tuple[float, float, int, int]], many: dict[str, tuple[float, float, int, int]]) -> None:
    print(f"1.00 = a bare constant page. Rows: {max(ROWS // 100, 100):,}, then {ROWS:,}.\n")
    print(f"{'page':<24}{'kept':>8}{'anew':>8}{'growth':>8}{'queries':>9}{'bytes':>9}")
    for name, (kept, anew, size, queries) in many.items():
        print(f"{name:<24}{kept:>8.2f}{anew:>8.1f}{anew / few[name][1]:>8.2f}{queries:>9}{size:>9,}")
