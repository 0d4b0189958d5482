from celery import shared_task
from django.conf import settings
from django.db import connection

from .jobs import sweeps


@shared_task
def run_sweep(name: str) -> None:
    """Run the sweep if it is due: what beat sends. During an upgrade the beat of another release has other names."""
    if name in settings.SWEEPS:
        sweeps.run_due([name])


@shared_task
def refresh_statistics() -> None:
    """
    Tell SQLite how its rows are spread; without that it reads every published post to find five of them.

    PostgreSQL does it by itself. The limit keeps it to milliseconds a table (https://sqlite.org/lang_analyze.html).
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA analysis_limit = 1000")
            cursor.execute("ANALYZE")
