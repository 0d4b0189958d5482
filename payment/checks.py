"""Refuse to take money through the simulator, or not at all: checked by `manage.py check` and at every start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SIMULATED = (
    "STRIPE_API_BASE is set and DEBUG is off: the shop would take orders through the local simulator, where no money "
    "moves. Remove STRIPE_API_BASE, or set DEBUG=true on your own machine."
)


@register
def stripe_is_real(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.STRIPE_API_BASE and not settings.DEBUG:
        return [Error(SIMULATED, id="payment.E001")]
    return []


@register
def stripe_is_configured(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return []
    missing = [name for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET") if not getattr(settings, name)]
    if not missing:
        return []
    return [Error(f"{' and '.join(missing)} must be set: the shop cannot take money without.", id="payment.E002")]
