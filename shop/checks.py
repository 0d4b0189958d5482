"""Refuse to sell in a currency that cannot be charged."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .currencies import TABLE


@register
def currency_can_be_charged(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.SHOP_CURRENCY in TABLE:
        return []
    message = (
        f"SHOP_CURRENCY is {settings.SHOP_CURRENCY!r}, which Stripe does not charge: set a code such as EUR or USD."
    )
    return [Error(message, hint="https://docs.stripe.com/currencies lists them.", id="shop.E001")]
