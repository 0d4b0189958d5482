from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core.signals import got_request_exception
from django.db.backends.signals import connection_created
from django.utils.module_loading import autodiscover_modules

from . import checks, freshness, metrics, middleware  # noqa: F401 - checks register themselves


class ConfigConfig(AppConfig):
    """The project package is an app too, for its commands, checks and templates that span the apps."""

    name = "config"

    def ready(self) -> None:
        autodiscover_modules("belongings")  # config/personaldata.py
        connection_created.connect(freshness.watch_connection)
        connection_created.connect(metrics.watch_connection)
        got_request_exception.connect(middleware.note_error)


class StaffAdminConfig(admin_apps.AdminConfig):
    """Named in INSTALLED_APPS for Django's own, so that `admin.site` is ours."""

    default = False  # for "config" Django is to take the one above
    default_site = "config.adminsite.StaffSite"
