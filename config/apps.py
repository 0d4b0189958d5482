from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.module_loading import autodiscover_modules

from . import freshness, metrics


class ConfigConfig(AppConfig):
    """The project package is an app too, for its commands, checks and templates that span the apps."""

    name = "config"

    def ready(self) -> None:
        autodiscover_modules("belongings")  # config/personaldata.py
        connection_created.connect(freshness.watch_connection)
        connection_created.connect(metrics.watch_connection)
