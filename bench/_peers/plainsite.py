"""A plain, well-written Django site with the same rows, and its tutorial version, for bench/peers.py."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from serve import configure

LISTS = {"post list": ("blog/", 10), "catalogue": ("shop/", 24), "picture list": ("pictures/", 24)}
THINGS = {"post": "blog/post-{}/", "product": "shop/p-{}/"}


def prepare(rows: int, prefix: str = "/") -> tuple[Any, dict[str, tuple[str, Iterator[str]]]]:
    configure(os.environ["PEER_FOLDER"], APPS=["plain"], ROOT_URLCONF="plain.views")
    from django.core.handlers.wsgi import WSGIHandler
    from django.utils import timezone
    from plain.views import fill

    from bench._rows import WORDS

    now = timezone.now()
    fill(rows, WORDS, lambda number: now - timedelta(minutes=rows - number))
    pages = {"constant": ("/constant/", iter(()))}
    for kind, (address, size) in LISTS.items():
        pages[kind] = (prefix + address, map(f"{prefix}{address}?page={{}}".format, range(2, rows // size)))
    for kind, address in THINGS.items():
        pages[kind] = (prefix + address.format(0), map((prefix + address).format, range(rows - 1, 0, -1)))
    return WSGIHandler(), pages
