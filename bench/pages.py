"""
What pages cost in bare constant pages, beside the lists that a Django site would have instead (bench/_yardsticks.py).

The WSGI callable is called in this process; the figure is CPU time, the least of several blocks, contenders taken in
turn. Each page is shown in five states:

- kept: answered before Django, as visitors without a session get it (core/caching/pages.py);
- anew: made by Django for such a visitor, nothing written since the last time;
- member: the same for somebody who is logged in;
- written: made right after a write to every table that it is made from;
- cold: made by a process that has kept nothing at all.

A database of its own is filled twice: with BENCH_ROWS/100 and then with BENCH_ROWS posts, products and images. It is on
the server of DATABASE_URL, or SQLite without it.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from bench._databases import chosen
from bench._rows import fill
from bench._timing import call, interleave

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
FEW = max(ROWS // 100, 100)
STATES = ["kept", "anew", "member", "written", "cold"]
YARDSTICKS = {"bare": "constant", "const": "constant", "plain list": "plain", "tutorial list": "tutorial"}
PAGES = {
    "post list": "/blog/",
    "post list, page 100": "/blog/?page=100",
    "post list, last page": "/blog/?page=999999999",
    "post list of a tag": "/blog/tag/paper-1/",
    "post": "",
    "image list": "/images/",
    "product list": "/shop/",
    "product": "",
    "home": "/",
    "about": "/about/",  # without a query: what every page costs
}

type_costs = dict[str, dict[str, float]]  # page or yardstick -> state -> CPU seconds


def main() -> None:
    with chosen():
        fill(FEW)
        few, _facts = measure()
        fill(ROWS)
        report(few, *measure())


def measure() -> tuple[type_costs, dict[str, str]]:
    """Return what each yardstick and each page cost in each state, and what else is to be said of a page."""
    from django.core.handlers.wsgi import WSGIHandler

    from core.caching.pages import PageCache

    django_alone = WSGIHandler()
    cached = PageCache(django_alone)
    cookie = logged_in()
    contenders: dict[tuple[str, str], Callable[[], Any]] = {}
    facts = {}
    for name, address in addresses().items():
        contenders |= {(name, state): act for state, act in states(django_alone, cached, address, cookie).items()}
        facts[name] = facts_of(django_alone, address, cookie)
    contenders |= {(name, "anew"): act for name, act in yardsticks(django_alone).items()}
    costs: type_costs = {}
    for (name, state), seconds in interleave(contenders).items():  # type: ignore[arg-type]
        costs.setdefault(name, {})[state] = seconds
    return costs, facts


def addresses() -> dict[str, str]:
    from blog.models import Post
    from shop.models import Product

    newest = {"post": Post.objects.published().newest_first()[:1].get(), "product": Product.objects.latest("pk")}
    return {name: address or newest[name].get_absolute_url() for name, address in PAGES.items()}


def states(django_alone: Any, cached: Any, address: str, cookie: str) -> dict[str, Callable[[], Any]]:
    from core.caching import memory
    from core.caching.versions import table_versions

    tables = made_from(django_alone, address)

    def after_a_write() -> bytes:
        for table in tables:
            table_versions().change(table)
        return call(django_alone, address)

    def cold() -> bytes:
        memory.clear()
        return call(django_alone, address)

    anew, member = partial(call, django_alone, address), partial(call, django_alone, address, cookie)
    return dict(zip(STATES, [partial(call, cached, address), anew, member, after_a_write, cold], strict=True))


def made_from(django_alone: Any, address: str) -> tuple[str, ...]:
    """Return the tables that are read for the page at this address."""
    from core.caching.versions import recorded

    with recorded() as tables:
        call(django_alone, address)
    return tuple(tables)


def yardsticks(django_alone: Any) -> dict[str, Callable[[], Any]]:
    from bench._yardsticks import STARTPROJECT, Yardstick, filling

    handlers = {name: Yardstick(*([] if name == "bare" else STARTPROJECT)) for name in YARDSTICKS}
    wanted = len(call(django_alone, PAGES["post list"]))
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


def facts_of(django_alone: Any, address: str, cookie: str) -> str:
    """Return queries of a cold page, those of a member, and bytes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from core.caching import memory

    call(django_alone, address)
    memory.clear()
    with CaptureQueriesContext(connection) as cold:
        size = len(call(django_alone, address))
    with CaptureQueriesContext(connection) as members:
        call(django_alone, address, cookie)
    return f"{len(cold):>9}{len(members):>8}{size:>9,}"


def report(few: type_costs, many: type_costs, facts: dict[str, str]) -> None:
    bare, const, plain, tutorial = (many[name]["anew"] for name in YARDSTICKS)
    print(f"1.0 = a bare constant page. Rows: {FEW:,}, then {ROWS:,}; growth is of anew.\n")
    for name in YARDSTICKS:
        print(
            f"{name:<22}{many[name]['anew'] / bare:>8.1f}   at {FEW:,} rows {few[name]['anew'] / few['bare']['anew']:>8.1f}"
        )
    heads = [*STATES, "growth", "queries", "member", "bytes", "anew/const", "plain/anew", "tutorial/anew"]
    print(f"\n{'page':<22}" + "".join(f"{head:>{max(len(head) + 1, 8)}}" for head in heads))
    for name in PAGES:
        costs = many[name]
        growth = (costs["anew"] / bare) / (few[name]["anew"] / few["bare"]["anew"])
        cells = "".join(f"{costs[state] / bare:>8.2f}" for state in STATES)
        ratios = f"{costs['anew'] / const:>11.1f}{plain / costs['anew']:>11.1f}{tutorial / costs['anew']:>14.1f}"
        print(f"{name:<22}{cells}{growth:>8.2f}{facts[name]}{ratios}")
