"""What must be set before the shop may run: the law wants the seller's name and address on every invoice."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def seller_is_named(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    missing = [name for name in ("SELLER_NAME", "SELLER_ADDRESS") if not getattr(settings, name)]
    if settings.DEBUG or not missing:
        return []
    return [
        Error(
            f"{' and '.join(missing)} must be set: an invoice without its seller is none.",
            hint="See .env.example; a | in SELLER_ADDRESS begins a new line.",
            id="orders.E001",
        )
    ]
