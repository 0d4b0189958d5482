"""The mail server of the setting MAILERS, which Django knows since 6.1; 5.2 is given the same here."""

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string


def connect() -> BaseEmailBackend:
    mailer = settings.MAILERS["default"]
    backend: BaseEmailBackend = import_string(mailer["BACKEND"])(alias="default", **mailer.get("OPTIONS", {}))
    return backend
