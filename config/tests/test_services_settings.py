"""What the environment says about services, as a process of its own reads it."""

import pytest
from django.db import connection

from tests import processes
from tests.processes import told


@pytest.mark.django_db
def test_a_pooler_is_asked_for_no_cursor_that_outlives_a_transaction():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no pooler")
    expression = "settings.DATABASES['default']['DISABLE_SERVER_SIDE_CURSORS']"

    assert told(expression) == "False"
    assert told(expression, DATABASE_POOLED="true") == "True"


@pytest.mark.django_db
def test_a_replica_brings_its_router_and_its_middleware():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no replicas")
    url = processes.environment()["DATABASE_URL"]

    answer = told("settings.DATABASE_ROUTERS, settings.MIDDLEWARE[-1]", DATABASE_REPLICA_URL=url)

    assert "core.caching.routers.ReplicaRouter" in answer
    assert "core.caching.replica.read_from_replica" in answer


@pytest.mark.django_db
def test_a_replica_of_sqlite_is_refused_with_a_reason():
    assert "DATABASE_REPLICA_URL needs PostgreSQL" in told(
        "settings.DEBUG", DATABASE_REPLICA_URL="sqlite:////nowhere.sqlite3"
    )


@pytest.mark.django_db
def test_without_a_token_no_request_is_measured():
    assert "core.web.metrics.measure" not in told("settings.MIDDLEWARE")
    assert "core.web.metrics.measure" in told("settings.MIDDLEWARE", METRICS_TOKEN="x")
