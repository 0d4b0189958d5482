"""
Which database a query goes to, when DATABASE_REPLICA_URL names a read replica.

The primary answers everything, but for queries of the apps in APPS while a page that may lag is made (`@for_everyone`,
`@may_lag`) for somebody who has not just written something. So a checkout, a login, the cart and the admin never see
the replica. What is kept and shown again (core/caching/pages.py, core/caching/memory.py) is made from the primary too:
a page is kept because its tables have just changed, which is when a replica is behind, and what is kept is asked for so
rarely that a replica would save nothing.

Which request may, and when the replica is too far behind: core/caching/replica.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

REPLICA = "replica"

# Who somebody is and what they may (account, auth) is never stale; nor is anything about money.
APPS = frozenset({"actions", "blog", "images", "search", "shop"})
# Written by looking at a page; whoever looks again need not see it.
COUNTERS = frozenset({"actions.view", "actions.viewcount"})


@dataclass
class Reading:
    """How the request of this thread reads; it stops using the replica with its first write."""

    may_be_stale: bool = False
    has_used_replica: bool = False
    has_written: bool = False


_reading: ContextVar[Reading | None] = ContextVar("reading", default=None)


@contextmanager
def reading(state: Reading | None) -> Iterator[None]:
    token = _reading.set(state)
    try:
        yield
    finally:
        _reading.reset(token)


def from_primary() -> Any:
    """Read from the primary within this block: for what is kept, or decides something."""
    return reading(None)


def read_alias(app_label: str) -> str:
    """Return the database that this query may ask; raw SQL has to ask this itself."""
    state = _reading.get()
    if state is None or not state.may_be_stale or app_label not in APPS:
        return DEFAULT_DB_ALIAS
    if connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return DEFAULT_DB_ALIAS
    state.has_used_replica = True
    return REPLICA


class ReplicaRouter:
    def db_for_read(self, model: type[models.Model], **hints: Any) -> str:
        return read_alias(model._meta.app_label)

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        state = _reading.get()
        if state and model._meta.app_label in APPS and model._meta.label_lower not in COUNTERS:
            state.has_written, state.may_be_stale = True, False
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool:
        return True  # both are rows of one database, read in two places

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == REPLICA else None
