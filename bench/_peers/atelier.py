"""This site, for bench/peers.py: made by Django, without the page cache."""

import itertools
import os
from collections.abc import Iterator
from typing import Any


def prepare(rows: int) -> tuple[Any, dict[str, tuple[str, Iterator[str]]]]:
    import django

    os.environ |= {"VAR_DIR": os.environ["PEER_FOLDER"], "DATABASE_URL": "", "REDIS_URL": "", "DEBUG": "true"}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
    django.setup()
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.management import call_command

    from bench._rows import fill
    from bench.pages import others

    settings.DEBUG, settings.ALLOWED_HOSTS = False, ["*"]
    call_command("migrate", verbosity=0)
    fill(rows)
    kinds = {"post list": "post list", "post": "post", "catalogue": "product list", "product": "product"}
    kinds |= {"picture list": "image list"}
    pages = {}
    for kind, name in kinds.items():
        found = others(name, rows)
        repeat = {"post list": "/blog/", "catalogue": "/shop/", "picture list": "/images/"}.get(kind) or next(found)
        pages[kind] = (repeat, itertools.chain(found))
    return wrapped(WSGIHandler()), pages


def wrapped(application: Any) -> Any:
    return application
