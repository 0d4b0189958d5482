"""
The pages of people who are logged in, in constant pages behind Django's own middleware (bench/_yardsticks.py, "const"):
the start page of a member who follows 100 people, and the lists of the staff with their searches.

At 1,000 rows of each kind and at BENCH_ROWS (100,000), on the database of DATABASE_URL, or SQLite without it. The
figure is processor time, that of PostgreSQL's process for us included; the queries are of a page that was shown before.
"""

import os
from datetime import timedelta
from typing import Any

from bench._databases import chosen
from bench.growth import SEED, call, copy, fill, least

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
FOLLOWED = 100
LISTS = {
    "posts": "blog/post",
    "comments": "blog/comment",
    "orders": "orders/order",
    "invoices": "orders/invoice",
    "products": "shop/product",
    "images": "images/image",
    "likes": "images/like",
    "people": "account/user",
    "follows": "account/follow",
    "mails": "mail/outgoingmail",
    "actions": "actions/action",
    "view counts": "actions/viewcount",
    "search entries": "search/document",
}
SEARCHES = {
    "posts": "Post 500",
    "comments": "500@example.com",
    "orders": "L500",
    "products": "Product 500",
    "images": "I 500",
    "people": "person-500",
    "mails": "500@example.com",
    "actions": "person-500",
}

Figures = dict[str, tuple[float, int]]  # page -> constant pages, queries


def main() -> None:
    with chosen():
        write(1)
        few = measure()
        write(ROWS // SEED)
        report(few, measure())


def write(times: int) -> None:
    """Bring every table to SEED times so many rows."""
    from account.models import Follow, User
    from core.tasks import refresh_statistics
    from images.models import Image, Like
    from mail.models import OutgoingMail
    from search.reindexing import reindex

    rows = SEED * times
    fill(times)
    people = list(
        User.objects.filter(username__startswith="person-").order_by("pk").values_list("pk", flat=True)[:rows]
    )
    if times == 1:
        reader = User.objects.create_user("reader", "reader@example.com")
        Follow.objects.bulk_create(Follow(follower=reader, followed_id=pk) for pk in people[100 : 100 + FOLLOWED])
        OutgoingMail.objects.bulk_create(mail(number) for number in range(SEED))
    else:
        copy(OutgoingMail, times, dedup_key="dedup_key || '-' || copy", message_id="message_id || '-' || copy")
    ada, image = people[1], Image.objects.latest("pk")
    Follow.objects.bulk_create(
        [Follow(follower_id=pk, followed_id=ada) for pk in people[2:]], 5000, ignore_conflicts=True
    )
    Like.objects.bulk_create([Like(user_id=pk, image=image) for pk in people], 5000, ignore_conflicts=True)
    act(people[100 : 100 + SEED], rows)
    reindex()
    refresh_statistics()


def mail(number: int) -> Any:
    from mail.models import OutgoingMail

    return OutgoingMail(
        kind="order", dedup_key=f"order:{number}", to=f"{number}@example.com", subject=f"Your order #{number}",
        message_id=f"<{number}@example.com>", text="Thank you. " * 50, status=OutgoingMail.Status.SENT,
    )  # fmt: skip


def act(people: list[int], rows: int) -> None:
    """Let people take turns: each likes, saves, publishes, comments, follows; no two acts follow one another."""
    from django.utils import timezone

    from actions.models import Action
    from blog.models import Post
    from images.models import Image

    Action.objects.all().delete()
    images, posts = (list(model.objects.values_list("pk", flat=True)[:SEED]) for model in (Image, Post))
    kinds = [
        ("likes", "images.image", images), ("bookmarked", "images.image", images), ("published", "blog.post", posts),
        ("commented", "blog.post", posts), ("follows", "account.user", people),
    ]  # fmt: skip
    now = timezone.now()

    def action(number: int) -> Action:
        verb, kind, targets = kinds[number * 7 % 5]
        return Action(
            actor_id=people[number % len(people)], verb=verb, target_kind=kind, target_id=targets[number * 3 % len(targets)],
            created_at=now - timedelta(minutes=rows - number),
        )  # fmt: skip

    for start in range(0, rows, 5000):
        Action.objects.bulk_create(action(number) for number in range(start, min(start + 5000, rows)))


def pages() -> dict[str, tuple[str, str]]:
    """Return who opens which address, by the name of the page."""
    lists = {f"list of {name}": ("staff", f"/admin/{path}/") for name, path in LISTS.items()}
    searches = {f"search {name}": ("staff", f"/admin/{LISTS[name]}/?q={term}") for name, term in SEARCHES.items()}
    start = {
        "start page, follows 100": ("reader", "/account/"),
        "start page, follows nobody": ("person-1", "/account/"),
    }
    return {**start, **lists, **searches}


def measure() -> Figures:
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from bench._yardsticks import STARTPROJECT, Yardstick

    handler = WSGIHandler()
    constant = least(Yardstick(*STARTPROJECT), "/bench/constant/", "")
    found = {}
    for name, (person, address) in pages().items():
        if os.environ.get("BENCH_PAGES", "") in name:
            cookies = logged_in(person)
            call(handler, address, cookies)
            with CaptureQueriesContext(connection) as captured:
                call(handler, address, cookies)
            queries = len(captured)  # before the next request empties the log
            if os.environ.get("BENCH_SQL"):
                print(f"--- {name}", *(query["sql"] for query in captured.captured_queries), sep="\n")
            constant = min(constant, least(Yardstick(*STARTPROJECT), "/bench/constant/", ""))
            found[name] = (least(handler, address, cookies), queries)
    return {name: (milliseconds / constant, queries) for name, (milliseconds, queries) in found.items()}


def logged_in(username: str) -> str:
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(username=username), "account.backends.UsernameOrEmailBackend")
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def report(few: Figures, many: Figures) -> None:
    print(f"\n{'page':<34}{f'dm at {SEED:,}':>14}{f'at {ROWS:,}':>14}{'growth':>9}{'queries':>9}")
    for page, (before, _) in few.items():
        after, queries = many[page]
        print(f"{page:<34}{before:>14.1f}{after:>14.1f}{after / before:>9.2f}{queries:>9}")
