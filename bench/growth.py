"""
How every kind of list grows with its rows: the cost of one page at BENCH_ROWS (100,000), in times of that at 1,000.

The first page, one in the middle and the last, for visitors and for the staff, on SQLite and on PostgreSQL. Pages are
made anew each time, by the WSGI callable in this process. The cost is processor time, of this process and of the one
that answers it at PostgreSQL, so that other work on the machine hardly shows. BENCH_DATABASE=sqlite or postgresql takes
one of them only; BENCH_PAGES=shop those pages only whose address holds "shop".
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from bench import _databases

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
SEED = 1000
SECONDS_A_PAGE, MOST_CALLS = 0.3, 30
PLANNED = 1.5  # times its time at SEED rows: what counts as flat


def main() -> None:
    for name in os.environ.get("BENCH_DATABASE", "sqlite postgresql").split():
        subprocess.run([sys.executable, "-c", f"from bench.growth import measure_on; measure_on({name!r})"], check=True)


def measure_on(name: str) -> None:
    with getattr(_databases, name)():
        fill(1)
        few = measure(SEED)
        fill(ROWS // SEED)
        report(name, few, measure(ROWS))


# --- Rows, written past the verbs: what is measured is reading ------------------------------------------------------


def fill(times: int) -> None:
    """Write SEED rows of everything, then copy them until there are `times` as many; keep the kept numbers true."""
    from django.contrib.auth import get_user_model
    from django.db import connection

    from actions.models import Action, ViewCount
    from blog.models import Comment, Post, PostTag
    from core.tasks import refresh_statistics
    from images.models import Image
    from orders.models import Order
    from shop.models import Product

    person = get_user_model()
    if times == 1:
        seed()
    else:
        copy(person, times, username="username || '-' || copy", email="copy || '-' || email")
        copy(Post, times, slug="slug || '-' || copy", preview_key=None, source_key="NULL")
        copy_tags(PostTag, Post)
        copy(Comment, times, source_key="NULL")
        copy(Image, times)
        copy(Product, times, name="name || '-' || copy")
        copy(
            Order,
            times,
            token="token || '-' || copy",
            checkout_key="checkout_key || '-' || copy",
            email="copy || '-' || email",
        )
        copy(Action, times)
        copy(ViewCount, times, target_id=f"target_id + copy * {SEED}")
    count(times * SEED)
    refresh_statistics()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "VACUUM ANALYZE"
            )  # as the server's own does in time: an index alone then answers what it can


def seed() -> None:
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from account.models import Follow
    from actions.models import Action, ViewCount
    from blog.models import Comment, Post, PostTag, Tag
    from images.models import Image
    from orders.models import Order
    from shop.counts import recount
    from shop.models import Category, Product

    person, now = get_user_model(), timezone.now()
    numbers = range(SEED)
    person.objects.create_superuser("staff", "staff@example.com", "x")
    person.objects.bulk_create(
        person(username=f"person-{n}", email=f"{n}@example.com", is_active=n % 50 > 0) for n in numbers
    )
    people = list(person.objects.filter(username__startswith="person-"))
    ada = people[1]
    tag = Tag.objects.create(name="paper", slug="paper")
    categories = [Category.objects.create(name=f"Category {n}", slug=f"category-{n}") for n in range(8)]
    html = "<p>" + "Folded once, then again. " * 40 + "</p>"

    def post(n: int) -> Post:
        at = now - timedelta(days=n, minutes=1)
        return Post(
            title=f"Post {n}", slug=f"post-{n}", author=ada, body="x", body_html=html, summary=html[3:280],
            status=Post.Status.PUBLISHED, publish_at=at, publish_on=at.date(), is_counted=True, comment_count=1,
            tag_list=[{"id": tag.pk, "name": "paper", "slug": "paper"}],
        )  # fmt: skip

    def order(n: int) -> Order:
        return Order(
            checkout_key=f"key-{n}", token=f"token-{n}", status=list(Order.Status)[n % 4], first_name="Ada", last_name=f"L{n}",
            email=f"{n}@example.com", address="1 Street", postal_code="1", city="X", country="DE", currency="EUR",
            subtotal=9, total=9, expires_at=now, paid_at=now - timedelta(days=n),
        )  # fmt: skip

    posts = Post.objects.bulk_create(post(n) for n in numbers)
    PostTag.objects.bulk_create(PostTag(content_object=each, tag=tag, **each.repeated_on_tags()) for each in posts)
    Comment.objects.bulk_create(
        Comment(post=each, name="Bob", email=f"{n}@example.com", body="Nice.", created_at=now - timedelta(days=n),
                state=list(Comment.State)[n % 3])
        for n, each in enumerate(posts)
    )  # fmt: skip
    images = Image.objects.bulk_create(
        Image(owner=people[n], title=f"I {n}", slug=f"i-{n}", file=f"images/{n}.jpg", width=9, height=6, status="ready")
        for n in numbers
    )
    Product.objects.bulk_create(
        Product(category=categories[n % 8], name=f"Product {n}", slug=f"product-{n}", price=Decimal(5 + n % 90),
                stock=[None, 0, 5, 100][n // 8 % 4])
        for n in numbers
    )  # fmt: skip
    list(recount(write=True))
    Order.objects.bulk_create(order(n) for n in numbers)
    Action.objects.bulk_create(
        Action(actor=people[n], verb=Action.Verb.BOOKMARKED, target_kind="images.image", target_id=images[n].pk,
               created_at=now - timedelta(hours=n))
        for n in numbers
    )  # fmt: skip
    ViewCount.objects.bulk_create(
        ViewCount(target_kind=kind, target_id=rows[n].pk, views=n)
        for kind, rows in (("images.image", images), ("blog.post", posts))
        for n in numbers
    )
    staff = person.objects.get(username="staff")
    Follow.objects.bulk_create(Follow(follower=staff, followed=each) for each in people[:200])


def copy(model: Any, times: int, **others: str | None) -> None:
    """Copy the model's first rows; `others` gives columns their SQL, None leaves a column as every other row's."""
    from django.db import connection

    columns = [field.column for field in model._meta.concrete_fields if not (field.primary_key or field.generated)]
    quoted = [connection.ops.quote_name(column) for column in columns]
    values = ", ".join(others.get(column) or name for column, name in zip(columns, quoted, strict=True))
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE copies (copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM copies WHERE copy + 1 < {times}) "
            f"INSERT INTO {table} ({', '.join(quoted)}) SELECT {values} FROM copies CROSS JOIN "
            f"(SELECT * FROM {table} ORDER BY {key} LIMIT {model._default_manager.count()}) originals ORDER BY copy, {key}"
        )


def copy_tags(tags: Any, posts: Any) -> None:
    """Give the copied posts the tag that all have."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {tags._meta.db_table} (content_object_id, tag_id, publish_at, is_published) "
            f"SELECT id, (SELECT min(id) FROM blog_tag), publish_at, true FROM {posts._meta.db_table} "
            f"WHERE id NOT IN (SELECT content_object_id FROM {tags._meta.db_table})"
        )


def count(rows: int) -> None:
    from blog.models import Post, PostCount, Tag
    from blog.models.counts import ALL_POSTS, by_author

    Tag.objects.update(post_count=rows)
    for name in (ALL_POSTS, by_author(Post.objects.all()[0].author_id)):
        PostCount.objects.update_or_create(name=name, defaults={"posts": rows})


# --- Pages ----------------------------------------------------------------------------------------------------------


def pages(rows: int) -> dict[str, str]:
    from django.utils import timezone

    from blog.models import Post

    posts = Post.objects.published().newest_first()
    month = timezone.now() - timedelta(days=500)
    of_month, of_year = f"/blog/{month:%Y/%m}/", f"/blog/{month:%Y}/"
    admin = {
        "orders": "/admin/orders/order/",
        "orders of a status": "/admin/orders/order/?status__exact=paid",
        "orders by name": "/admin/orders/order/?q=L500",
        "orders by address": "/admin/orders/order/?q=500@example.com",
        "comments": "/admin/blog/comment/",
        "comments waiting": "/admin/blog/comment/?state__exact=waiting",
        "comments by address": "/admin/blog/comment/?q=500@example.com",
        "posts": "/admin/blog/post/",
        "posts by title": "/admin/blog/post/?q=Post 500",
        "products": "/admin/shop/product/",
        "products by name": "/admin/shop/product/?q=Product 500",
        "images": "/admin/images/image/",
        "people": "/admin/account/user/",
        "start": "/admin/",
    }
    return {
        "home": "/",
        **paged("posts", "/blog/", rows, 10),
        **paged("posts of a tag", "/blog/tag/paper/", rows, 10),
        **paged("posts of an author", "/blog/author/person-1/", rows, 10),
        **paged("posts of a year", of_year, Post.objects.filter(publish_on__year=month.year).count(), 10),
        **paged(
            "posts of a month",
            of_month,
            posts.filter(publish_on__year=month.year, publish_on__month=month.month).count(),
            10,
        ),
        "post": posts[0].get_absolute_url(),
        "feed": "/blog/feed/",
        "feed of a tag": "/blog/tag/paper/feed/",
        **paged("images", "/images/", rows * 49 // 50, 24),
        "image ranking": "/images/ranking/",
        **paged("people", "/account/users/", rows * 49 // 50, 24),
        "person": "/account/users/person-1/",
        **paged("products", "/shop/", rows, 24),
        **paged("products of a category", "/shop/category-1/", rows // 8, 24),
        **paged("products in stock", "/shop/?in_stock=on", rows * 3 // 4, 24),
        **paged("products by price", "/shop/?sort=price", rows, 24),
        **paged("products, dearest", "/shop/?sort=-price", rows, 24),
        **paged("products by name", "/shop/?sort=name", rows, 24),
        **paged("in stock by price", "/shop/?in_stock=on&sort=price", rows * 3 // 4, 24),
        **paged("of a category, in stock by price", "/shop/category-1/?in_stock=on&sort=price", rows * 3 // 32, 24),
        **paged("of a category by name", "/shop/category-1/?sort=name", rows // 8, 24),
        "sitemap": "/sitemap.xml",
        "dashboard": "staff:/account/",
        **{f"admin: {name}": f"staff:{address}" for name, address in admin.items()},
    }


def paged(name: str, address: str, rows: int, size: int) -> dict[str, str]:
    """Return the first page of a list, one in its middle and its last."""
    last, mark = max(rows // size, 3), "&" if "?" in address else "?"
    return {
        name: address,
        f"{name}, middle": f"{address}{mark}page={last // 2}",
        f"{name}, last": f"{address}{mark}page={last}",
    }


def measure(rows: int) -> dict[str, float]:
    """Return the least cost of each page, in milliseconds."""
    from django.contrib.auth import get_user_model
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(username="staff"), "account.backends.UsernameOrEmailBackend")
    staff = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    handler, wanted = WSGIHandler(), os.environ.get("BENCH_PAGES", "")
    found = {}
    for name, address in pages(rows).items():
        if wanted in address:
            cookies = staff if address.startswith("staff:") else ""
            found[name] = least(handler, address.removeprefix("staff:"), cookies)
    return found


def least(handler: Callable[..., Any], address: str, cookies: str) -> float:
    best, begun, calls = float("inf"), time.perf_counter(), 0
    while calls < 3 or (calls < MOST_CALLS and time.perf_counter() - begun < SECONDS_A_PAGE):
        start = processor_time()
        call(handler, address, cookies)
        best, calls = min(best, processor_time() - start), calls + 1
    return best * 1000


def processor_time() -> float:
    """Return the seconds spent by this process and, on Linux, by the database's process that answers it."""
    from django.db import connection

    spent = time.process_time()
    if connection.vendor == "postgresql":
        connection.ensure_connection()
        pid = connection.connection.info.backend_pid
        spent += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return spent


def call(handler: Callable[..., Any], address: str, cookies: str) -> bytes:
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000",
        "HTTP_HOST": "127.0.0.1:8000", "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(), "wsgi.errors": BytesIO(), "HTTP_COOKIE": cookies, "HTTP_USER_AGENT": "bench",
    }  # fmt: skip
    answered: list[str] = []
    response = handler(environ, lambda status, headers, exc_info=None: answered.append(status))
    body = b"".join(response)
    response.close()
    if not answered[0].startswith("200"):
        raise RuntimeError(f"{address}: {answered[0]}")
    return body


def report(name: str, few: dict[str, float], many: dict[str, float]) -> None:
    print(
        f"\n{name}: rows {SEED:,}, then {ROWS:,}\n{'page':<44}{f'ms at {SEED:,}':>14}{f'at {ROWS:,}':>14}{'growth':>9}"
    )
    for page, before in few.items():
        growth = many[page] / before
        print(f"{page:<44}{before:>14.1f}{many[page]:>14.1f}{growth:>9.2f}{'  <' if growth > PLANNED else ''}")
    print(f"{sum(many[page] / few[page] <= PLANNED for page in few)} of {len(few)} pages grow by at most {PLANNED} x.")


if __name__ == "__main__":
    main()
