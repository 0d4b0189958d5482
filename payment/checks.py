"""Refuse to take money through the simulator, in test mode, or not at all: checked by `manage.py check`, some at every start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from . import gateway

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
    found: list[CheckMessage] = []
    if not settings.STRIPE_SECRET_KEY:
        text = "STRIPE_SECRET_KEY must be set: the shop cannot take money without. Stripe's dashboard has it under API keys."
        found.append(Error(text, id="payment.E002"))
    if not gateway.webhook_secrets():
        text = (
            "STRIPE_WEBHOOK_SECRET must be set, or no payment is heard of: add an endpoint for "
            f"{settings.SITE_URL}/payment/webhook/ in Stripe's dashboard and copy its signing secret."
        )
        found.append(Error(text, hint="docs/operations.md names the events.", id="payment.E003"))
    return found


@register(deploy=True)
def stripe_moves_real_money(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or not settings.STRIPE_SECRET_KEY or gateway.is_live():
        return []
    text = (
        "STRIPE_SECRET_KEY is no live key, so customers would pay with test cards and no money: "
        "set the one that begins with sk_live_ or rk_live_."
    )
    return [Error(text, id="payment.E004")]


@register(deploy=True)
def webhook_secrets_are_secrets(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or all(secret.startswith("whsec_") for secret in gateway.webhook_secrets()):
        return []
    text = (
        "STRIPE_WEBHOOK_SECRET is not what an endpoint is signed with: copy the signing secret that begins with whsec_ "
        "(several, with commas between them, while an endpoint moves)."
    )
    return [Error(text, id="payment.E005")]
