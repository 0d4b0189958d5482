"""
The test environment: an empty cache and no leftovers for every test, background work done at once.

Media and private files live in a throw-away folder (config/test_settings.py). Tests marked `services` need
PostgreSQL, Redis and RabbitMQ, tests marked `browser` need Chromium; `make test` brings all of them.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction
from django.test import TransactionTestCase
from kombu import Connection

from actions import view_buffer
from config.celery import app as celery_app
from core.caching import memory
from core.jobs import background, transactions
from core.stores import counters, redisstore
from tests import processes
from tools.services import chromium

START = background.start
BROKER_URL = os.environ.get("CELERY_BROKER_URL", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what is missing instead of failing with a refused connection, or worse, passing without it."""
    missing = {}
    if not (BROKER_URL and settings.REDIS_URL and settings.DATABASE_URL.startswith("postgres")):
        missing["services"] = "needs PostgreSQL, Redis, RabbitMQ: make test-services"
    if not chromium():
        missing["browser"] = "needs Chromium: make test-browser"
    if not os.environ.get("STRIPE_LIVE_TEST_KEY"):
        missing["live"] = "needs STRIPE_LIVE_TEST_KEY, a key of Stripe's test mode"
    for item in items:
        for marker, reason in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True, scope="session")
def mails_stay_here(django_test_environment: None) -> None:
    """Put mails into `django.core.mail.outbox`; from Django 6.1 on it does so itself."""
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}


@pytest.fixture(autouse=True)
def inline_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Run background work (core/jobs/background.py) at the commit, in the test's own thread, and let its error through.

    After `with self.captureOnCommitCallbacks(execute=True): place_order(...)` the mail is sent: a TestCase never commits. A
    test that wants the threads or a broker defines a fixture of this name that does nothing, in its own module.
    """
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "")
    monkeypatch.setattr(background, "start", lambda task, args: task(*args))


@pytest.fixture(autouse=True)
def inline_page_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count a page view when it is noted, in the test's own thread (actions/view_buffer.py)."""
    monkeypatch.setattr(view_buffer, "_thread", view_buffer.count_noted)


@pytest.fixture(autouse=True)
def locks_only_in_transactions() -> Iterator[None]:
    """Refuse a row lock outside a transaction of the code's own: inside TestCase's, Django would let it pass."""

    def watch(execute: Any, sql: str, *args: Any) -> Any:
        if " FOR UPDATE" in sql or " FOR NO KEY UPDATE" in sql:  # PostgreSQL; SQLite has no such words
            transactions.require("A row lock")
        return execute(sql, *args)

    with connection.execute_wrapper(watch):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Close what threads of a race left open; PostgreSQL drops no database that somebody is connected to."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            cursor.execute(f"SELECT pg_terminate_backend(pid) {others}")


def delete_all_rows(_case: TransactionTestCase) -> None:
    """
    Empty the tables after a test that commits.

    Django's own way, TRUNCATE and the post_migrate signal, takes 1 to 3 s on PostgreSQL with 70 tables and 0.2 s on
    SQLite; this takes 0.01 s. Content types and permissions stay: only migrations write them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for table in filled_tables(cursor):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


def filled_tables(cursor: Any) -> list[str]:
    """Ask for all at once: a DELETE of nothing is a statement too, and an announcement to the other hosts."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    names = [name for name in tables if name not in ("django_content_type", "auth_permission")]
    has_rows = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})" for name in names]
    cursor.execute(" UNION ALL ".join(has_rows))
    return [name for (name,) in cursor.fetchall()]


TransactionTestCase._fixture_teardown = delete_all_rows


def forget_what_is_cached() -> None:
    redisstore.forget_failure()
    for each in caches.all():
        each.clear()
    memory.clear()
    counters.forget_all()


@pytest.fixture(autouse=True, scope="class")
def empty_cache_for_what_a_class_sets_up() -> None:
    """Not even setUpTestData finds what another class has left, such as what sending costs."""
    forget_what_is_cached()


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    forget_what_is_cached()


@pytest.fixture(scope="session")
def queue() -> Iterator[str]:
    """Name this test process's own queue, and remove it at the end from a RabbitMQ that is not ours alone."""
    yield settings.CELERY_TASK_DEFAULT_QUEUE
    with Connection(BROKER_URL) as connection:
        for queue in settings.CELERY_TASK_QUEUES:
            connection.default_channel.queue_delete(queue.name)


@pytest.fixture
def broker(queue: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Publish background work to RabbitMQ, in a queue that is empty at first."""
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", BROKER_URL)
    monkeypatch.setattr(background, "start", START)
    celery_app.control.purge()
    return BROKER_URL


@pytest.fixture
def worker(transactional_db: None, broker: str) -> Iterator[Any]:
    """Run a real Celery worker beside the test; what the test commits, the worker sees."""
    with processes.worker() as process:
        yield process
