from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from mail import attachments


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from . import checks, invoice  # noqa: F401

        attachments.register("invoice", invoice.attachment)
