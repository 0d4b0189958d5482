from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _


class PaymentConfig(AppConfig):
    name = "payment"
    verbose_name = _("Payment")

    def ready(self) -> None:
        from . import audit, checks  # noqa: F401 (audit registers its checks)

        # A WSGI server runs no checks, and this one must not be missed.
        if settings.STRIPE_API_BASE and not settings.DEBUG:
            raise ImproperlyConfigured(checks.SIMULATED)
