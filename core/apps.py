from django.apps import AppConfig
from django.core.signals import got_request_exception
from django.db.backends.signals import connection_created

from .caching import versions
from .web import checks, metrics, middleware  # noqa: F401 - checks register themselves


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        connection_created.connect(versions.watch_connection)
        connection_created.connect(metrics.watch_connection)
        got_request_exception.connect(middleware.note_error)
