"""
When each table last changed, known to every process of this host without asking the database.

A page kept in memory (config/pagecache.py) remembers the stamps of the tables it was made from; one that has changed
since makes the page old. Stamps live in a small memory-mapped file. They are set after each commit by watching the
statements on the connection itself, so a bulk update or a data migration counts like a form in the admin does.

Several hosts: with Redis a changed stamp is announced to the others, who set theirs. The announcement may be lost, and a
process may die between its commit and the stamp; a kept page therefore never lives longer than MAX_AGE.
"""

import logging
import mmap
import re
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.apps import apps
from django.conf import settings
from django.db import transaction

from . import redisstore

logger = logging.getLogger(__name__)

WRITES = re.compile(r'\s*(?:INSERT(?: OR IGNORE)? INTO|UPDATE|DELETE FROM)\s+"([^"]+)"', re.IGNORECASE)
# Logging in writes this column of the person's row; no page shows it.
UNSEEN = re.compile(r'\s*UPDATE "account_user" SET "last_login" = \S+ WHERE', re.IGNORECASE)
STAMP = struct.Struct("=Q")
SILENCE = 10.0  # seconds without a message before Redis is asked whether it is still there
LISTENING = {"socket_timeout": SILENCE, "socket_connect_timeout": SILENCE}
SENDER = uuid4().hex  # one's own announcement, heard a moment later, would make a page old that was just made anew


class Stamps:
    """One number for each table, shared by the processes of this host; a change is any other number than before."""

    def __init__(self, path: Path, tables: Iterable[str]) -> None:
        self.tables = tuple(sorted(tables))
        self._offsets = {table: number * STAMP.size for number, table in enumerate(self.tables)}
        size = len(self._offsets) * STAMP.size
        with path.open("a+b") as file:
            if file.tell() < size:
                file.truncate(size)
            self._memory = mmap.mmap(file.fileno(), size)

    def of(self, tables: Iterable[str]) -> tuple[int, ...]:
        return tuple(STAMP.unpack_from(self._memory, self._offsets[table])[0] for table in tables)

    def knows(self, table: str) -> bool:
        return table in self._offsets

    def change(self, table: str) -> None:
        # The clock instead of +1: two processes that change at once need no lock to write something new.
        STAMP.pack_into(self._memory, self._offsets[table], time.time_ns())


@cache
def stamps() -> Stamps:
    models = apps.get_models(include_auto_created=True)
    return Stamps(settings.VAR_DIR / "freshness", {model._meta.db_table for model in models})


@cache
def tables_of(*names: str) -> tuple[str, ...]:
    """Return the tables of the apps ("blog") and models ("account.User") named."""
    tables: set[str] = set()
    for name in names:
        models = (
            [apps.get_model(name)] if "." in name else apps.get_app_config(name).get_models(include_auto_created=True)
        )
        tables.update(model._meta.db_table for model in models)
    return tuple(sorted(tables))


def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001
    """Wrap every statement of a connection (Django's execute_wrapper): after a write commits, its table has changed."""
    result = execute(sql, params, many, context)
    written = WRITES.match(sql)
    if written and not UNSEEN.match(sql):
        note(written[1], context["connection"])
    return result


def note(table: str, connection: Any) -> None:
    if stamps().knows(table) and not is_noted(table, connection):
        transaction.on_commit(partial(changed, table), using=connection.alias, robust=True)


def is_noted(table: str, connection: Any) -> bool:
    """Tell whether this savepoint or one around it has noted the change already; an import writes thousands."""
    here = set(connection.savepoint_ids)
    noted = connection.run_on_commit[-20:]
    return any(getattr(act, "args", ()) == (table,) and savepoints <= here for savepoints, act, _ in noted)


def watch_connection(*, connection: Any, **kwargs: Any) -> None:
    """Receive Django's connection_created."""
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.append(watch)


def changed(table: str) -> None:
    """Make the pages old that were made from this table, here and, with Redis, on the other hosts."""
    stamps().change(table)
    if settings.REDIS_URL:
        # MAX_AGE is the net under a lost announcement.
        redisstore.ask(lambda redis: redis.publish(channel(), f"{SENDER} {table}"))


def channel() -> str:
    """Return where this site's hosts meet: sites on one Redis have a database each, which messages know nothing of."""
    return f"atelier:changed:{urlsplit(settings.REDIS_URL).path.strip('/')}"


def listen() -> None:
    """Take in the other hosts' announcements, in a thread of this process."""
    if settings.REDIS_URL:
        threading.Thread(target=_listen, daemon=True, name="freshness").start()


def _listen() -> None:
    import redis

    while True:
        try:
            with redis.Redis.from_url(settings.REDIS_URL, **LISTENING).pubsub() as pubsub:
                pubsub.subscribe(channel())
                while True:
                    _take_in(_next(pubsub))
        except (redis.RedisError, OSError) as error:
            logger.warning("other hosts' changes are not heard: %s", error)
            time.sleep(5)


def _next(pubsub: Any) -> dict[str, Any]:
    """Return the next message; raises TimeoutError when not even a question is answered, as by a host that vanished."""
    message = pubsub.get_message(timeout=SILENCE)
    if message is None:
        pubsub.ping()
        message = pubsub.get_message(timeout=SILENCE)
    if message is None:
        raise TimeoutError("Redis is silent")
    return message


def _take_in(message: dict[str, Any]) -> None:
    if message["type"] == "message":
        sender, _, table = message["data"].decode().partition(" ")
        if sender != SENDER:
            with suppress(KeyError):
                stamps().change(table)
