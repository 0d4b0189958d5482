"""A database of its own for a benchmark: made, migrated, with Django set up on it, and dropped at the end."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tools.services import start


@contextmanager
def postgresql() -> Iterator[None]:
    """On a server that runs already, or one that is started for it."""
    services = start()
    try:
        with _on_server(services.urls["postgresql"]):
            yield
    finally:
        services.stop()


@contextmanager
def sqlite() -> Iterator[None]:
    with _set_up(""):
        yield


@contextmanager
def chosen() -> Iterator[None]:
    """On the server of DATABASE_URL, or SQLite without it."""
    url = os.environ.get("DATABASE_URL", "")
    os.environ["REDIS_URL"] = ""
    with _on_server(url) if url.startswith("postgres") else sqlite():
        yield


@contextmanager
def _on_server(url: str) -> Iterator[None]:
    name, (server, _, _) = f"atelier_bench_{os.getpid()}", url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            with _set_up(f"{server}/{name}"):
                yield
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _set_up(url: str) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"VAR_DIR": folder, "DATABASE_URL": url, "DEBUG": "true", "LOG_LEVEL": "ERROR"}
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings"}
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connection

        settings.DEBUG = False  # or Django keeps every statement
        settings.ALLOWED_HOSTS = ["*"]
        call_command("migrate", verbosity=0)
        yield
        connection.close()
