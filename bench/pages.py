"""
What a page costs the web process, in states that are told apart because they differ tenfold:

- first: nobody has asked this process for it, but for many of its kind; the figure is of pages none of which is repeated.
  A page of which there is one only (home, about, a ranking) has no such figure; its *written* is the nearest.
- repeat: asked for again, made by Django without the page cache, as for somebody whose link has a tracker;
- kept: asked for again by a visitor without a session, and answered before Django (core/caching/pages.py);
- member: asked for again by somebody who is logged in;
- written: asked for by a visitor right after a row was written that the page shows.

The unit is dm, a constant page of 20 KB behind the middleware of `startproject`; bare is the same page without any. The
WSGI callable is called in this process; the figure is CPU time, the least of several blocks, contenders taken in turn;
the database's own time counts on SQLite only. Beside them stand the lists that a Django site would have instead
(bench/_yardsticks.py). Growth is against a hundredth of the rows, in a process of its own.

BENCH_ROWS posts, pictures and products (100,000) lie on the server of DATABASE_URL, or on SQLite without it. BENCH_PAGES
("post,product") asks for some pages only.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from bench._databases import chosen
from bench._rows import CATEGORIES, TAGS, fill
from bench._timing import call, interleave

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
FEW = max(ROWS // 100, 100)
STATES = ["first", "repeat", "kept", "member", "written"]
YARDSTICKS = {"bare": "constant", "dm": "constant", "plain list": "plain", "tutorial list": "tutorial"}
MOST_FIRSTS = 3000  # of a kind
WARM = 15  # pages of a kind before its first visits are measured
# Each kind: the page that is repeated, and the model of which a row is written ("" where nothing is shown of any).
PAGES = {
    "post list": ("/blog/", "blog.Post"),
    "deep list": ("/blog/?page={deep}", "blog.Post"),
    "tag list": ("/blog/tag/paper-1/", "blog.Post"),
    "post": ("{post}", "blog.Post"),
    "image list": ("/images/", "images.Image"),
    "image": ("{image}", "images.Image"),
    "person": ("/account/users/person-0/", "account.User"),
    "people list": ("/account/users/", "account.User"),
    "product list": ("/shop/", "shop.Product"),
    "category": ("/shop/prints-1/", "shop.Product"),
    "product": ("{product}", "shop.Product"),
    "home": ("/", "blog.Post"),
    "about": ("/about/", ""),
    "ranking": ("/images/ranking/", "images.Image"),
    "feed": ("/blog/feed/", "blog.Post"),
    "sitemap": ("/sitemap.xml", "blog.Post"),
}

type_costs = dict[str, dict[str, float]]  # page or yardstick -> state -> CPU seconds


def main() -> None:
    with chosen():
        found = []
        for rows, states in [(FEW, ["first", "repeat"]), (ROWS, STATES)]:
            fill(rows)
            measured = [sys.executable, "-c", f"from bench.pages import measure; measure({rows}, {states})"]
            found.append(json.loads(subprocess.run(measured, stdout=subprocess.PIPE, check=True).stdout))
        report(*found)


def measure(rows: int, states: list[str]) -> None:
    """Print what each yardstick and each page cost in each state, and what else is to be said of a page."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler

    from core.caching.pages import PageCache
    from core.caching.store import PageStore

    settings.DEBUG, settings.ALLOWED_HOSTS = False, ["*"]
    site = WSGIHandler()
    kept, cookie = PageCache(site, PageStore(Path(tempfile.mkdtemp()))), logged_in()
    pages = repeated(rows)
    contenders: dict[tuple[str, str], Callable[[], Any]] = {}
    facts = {}
    for name, (address, _model) in pages.items():
        firsts = (other for other in others(name, rows) if other != address)
        facts[name] = facts_of(site, address, cookie, firsts)
        contenders[name, "first"] = partial(next_of, site, firsts)
        contenders[name, "repeat"] = partial(call, site, address)
        contenders[name, "kept"] = partial(call, kept, address)
        contenders[name, "member"] = partial(call, site, address, cookie)
    units = {(name, "repeat"): act for name, act in yardsticks(site).items()}
    costs = interleave({key: act for key, act in contenders.items() if key[1] in states} | units)
    # Apart, since a write makes others' pages dearer too.
    written = {
        (name, "written"): partial(call, site, address)
        for name, (address, model) in pages.items()
        if model and "written" in states
    }
    writes = {(name, "written"): partial(write, name, *pages[name]) for name, _state in written}
    costs |= interleave(written, writes) if written else {}
    table: type_costs = {}
    for (name, state), seconds in costs.items():
        table.setdefault(name, {})[state] = seconds
    print(json.dumps([table, facts]))


# --- Addresses ------------------------------------------------------------------------------------------------------


def repeated(rows: int) -> dict[str, tuple[str, str]]:
    """Return the page of each kind that is asked for again and again, and whose row is written."""
    from blog.models import Post
    from images.models import Image
    from shop.models import Product

    newest = {
        "post": Post.objects.published().newest_first()[:1].get().get_absolute_url(),
        "image": Image.objects.latest("pk").get_absolute_url(),
        "product": Product.objects.latest("pk").get_absolute_url(),
        "deep": str(rows // 20),
    }
    wanted = os.environ.get("BENCH_PAGES", "")
    names = [name.strip() for name in wanted.split(",")] if wanted else PAGES
    return {name: (PAGES[name][0].format(**newest), PAGES[name][1]) for name in names}


def others(name: str, rows: int) -> Iterator[str]:
    """Give addresses of the same kind, each once; none of a page that is the only one of its kind."""
    from blog.models import Post
    from images.models import Image
    from shop.models import Product

    def of(model: Any, *order: str) -> Iterator[str]:
        # Read at once: a half-read answer would keep SQLite's connection in the past, where it may not write.
        return (one.get_absolute_url() for one in list(model._default_manager.order_by(*order)[:MOST_FIRSTS]))

    def numbered(*lists: str, size: int, first: int = 1, step: int = 1) -> Iterator[str]:
        pages = range(first, max(rows // size // len(lists), first + 1), step)
        return (f"{address}?page={number}" if number > 1 else address for number in pages for address in lists)

    tags = [f"/blog/tag/paper-{tag}/" for tag in range(TAGS)]
    categories = [f"/shop/prints-{category}/" for category in range(CATEGORIES)]
    kinds: dict[str, Callable[[], Iterator[str]]] = {
        "post list": lambda: numbered("/blog/", size=10, first=2, step=2),
        "deep list": lambda: reversed(list(numbered("/blog/", size=10, first=3, step=2))),
        "tag list": lambda: numbered(*tags, size=10),
        "post": lambda: of(Post, "-publish_at"),
        "image list": lambda: numbered("/images/", size=24, first=2),
        "image": lambda: of(Image, "-pk"),
        "person": lambda: (f"/account/users/person-{number}/" for number in range(20, rows, 20)),
        "people list": lambda: numbered("/account/users/", size=20 * 24, first=2),
        "product list": lambda: numbered("/shop/", size=24, first=2),
        "category": lambda: numbered(*categories, size=24),
        "product": lambda: of(Product, "-pk"),
        "feed": lambda: (f"{tag}feed/" for tag in tags),
    }
    return kinds[name]() if name in kinds else iter(())


def next_of(site: Any, addresses: Iterator[str]) -> bytes:
    return call(site, next(addresses))


def write(name: str, address: str, model: str) -> None:
    """Write a row that the page shows, with the values it has."""
    from django.apps import apps
    from django.db.models import F

    table, field = apps.get_model(model), {"account.User": "bio", "shop.Product": "stock"}.get(model, "title")
    rows = table._default_manager.order_by("-publish_at" if field == "title" and model == "blog.Post" else "-pk")
    if name == "person":
        rows = rows.filter(username="person-0")
    elif name in ("tag list", "category"):
        slug = address.strip("/").rpartition("/")[2]
        rows = rows.filter(**{"post_tags__tag__slug" if name == "tag list" else "category__slug": slug})
    elif name == "deep list":
        start = (int(address.rpartition("=")[2]) - 1) * 10
        rows = rows[start : start + 1]
    table._default_manager.filter(pk=_row(name, rows)).update(**{field: F(field)})


_written: dict[str, Any] = {}


def _row(name: str, rows: Any) -> Any:
    if name not in _written:
        _written[name] = rows.values_list("pk", flat=True)[:1].get()
    return _written[name]


# --- What they are measured beside ------------------------------------------------------------------------------------


def yardsticks(site: Any) -> dict[str, Callable[[], Any]]:
    from bench._yardsticks import STARTPROJECT, Yardstick, filling

    handlers = {name: Yardstick(*([] if name == "bare" else STARTPROJECT)) for name in YARDSTICKS}
    wanted = len(call(site, "/blog/"))
    filling["bytes"] = 0
    filling["bytes"] = max(wanted - len(call(handlers["plain list"], "/bench/plain/")), 0)
    return {name: partial(call, handler, f"/bench/{YARDSTICKS[name]}/") for name, handler in handlers.items()}


def logged_in() -> str:
    """Return the session cookie of a member."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    member, _ = get_user_model().objects.get_or_create(username="reader", defaults={"email": "reader@example.com"})
    client = Client()
    client.force_login(member, settings.AUTHENTICATION_BACKENDS[1])
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def facts_of(site: Any, address: str, cookie: str, firsts: Iterator[str]) -> list[int]:
    """Warm the kind of page; return the queries of a first visit, of a repeat and of a member's, and the bytes."""
    for other in islice(firsts, WARM):
        call(site, other)
    other = next(firsts, "")
    queries = [counted(site, other)[0] if other else -1]
    call(site, address)
    repeat, size = counted(site, address)
    call(site, address, cookie)
    return [*queries, repeat, counted(site, address, cookie)[0], size]


def counted(site: Any, address: str, cookie: str = "") -> tuple[int, int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        size = len(call(site, address, cookie))
    return len(queries), size


# --- Report ---------------------------------------------------------------------------------------------------------


def report(few: tuple[type_costs, Any], many: tuple[type_costs, dict[str, list[int]]]) -> None:
    (before, _), (costs, facts) = few, many
    dm, earlier = costs["dm"]["repeat"], before["dm"]["repeat"]
    print(f"\n{ROWS:,} rows; growth against {FEW:,}. dm is {dm / costs['bare']['repeat']:.2f} bare. In dm:")
    for name in ("plain list", "tutorial list"):
        print(f"{name} {costs[name]['repeat'] / dm:.0f}, at {FEW:,} rows {before[name]['repeat'] / earlier:.0f}")
    heads = [*STATES, "growth of first", "of repeat", "queries first", "repeat", "member", "bytes"]
    print(f"\n{'page':<14}" + "".join(f"{head:>{max(len(head) + 2, 9)}}" for head in heads))
    for name, (first, repeat, member, size) in facts.items():
        found, earlier_found = costs[name], before[name]
        cells = "".join(cell(found, state, dm, 9) for state in STATES)
        growths = [cell(found, state, dm * earlier_found[state] / earlier, 11) for state in ("first", "repeat")]
        counts = f"{first if first >= 0 else '-':>15}{repeat:>9}{member:>9}{size:>9,}"
        print(f"{name:<14}{cells}{growths[0]:>17}{growths[1]}{counts}")
    print(f"\nIn bare constant pages:\n{'page':<14}" + "".join(f"{state:>9}" for state in STATES))
    for name in facts:
        print(f"{name:<14}" + "".join(cell(costs[name], state, costs["bare"]["repeat"], 9) for state in STATES))


def cell(costs: dict[str, float], state: str, unit: float, width: int) -> str:
    """Return a cost in units; a dash where the page has no such state, or had too few pages for it."""
    cost = costs.get(state, float("inf"))
    return f"{cost / unit:>{width}.2f}" if cost < float("inf") and 0 < unit < float("inf") else f"{'-':>{width}}"


if __name__ == "__main__":
    main()
