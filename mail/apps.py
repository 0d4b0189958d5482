from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _

from .checks import mail_goes_somewhere, mail_is_encrypted


class MailConfig(AppConfig):
    name = "mail"
    verbose_name = _("Outgoing mail")

    def ready(self) -> None:
        register(mail_goes_somewhere)
        register(mail_is_encrypted)
