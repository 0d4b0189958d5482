"""What must be set before the shop may run: the law wants the seller's name and address on every invoice."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning, register

from . import fonts
from .vat_rules import state_of

MODES = ("off", "verified", "unverified")


@register
def vat_can_be_left_out(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.VAT_REVERSE_CHARGE not in MODES:
        return [Error(f"VAT_REVERSE_CHARGE must be one of: {', '.join(MODES)}.", id="orders.E002")]
    is_wanted = settings.VAT_REVERSE_CHARGE != "off" or settings.VAT_FREE_EXPORT
    if not is_wanted or (settings.SELLER_VAT_ID and state_of(settings.SELLER_COUNTRY)):
        return []
    return [
        Error(
            "VAT_REVERSE_CHARGE and VAT_FREE_EXPORT need SELLER_VAT_ID and a SELLER_COUNTRY in the EU.",
            hint="Without them every order carries VAT.",
            id="orders.E003",
        )
    ]


@register(deploy=True)
def every_name_can_be_printed(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Say which scripts would be boxes on an invoice; a shop that sells to Lyon only need not care."""
    try:
        scripts = fonts.scripts_missing()
    except OSError as error:
        return [Warning(f"Pango is missing, so no invoice can be drawn: {error}", id="orders.W001")]
    if not scripts:
        return []
    hint = "On Debian: fonts-droid-fallback (Chinese, Japanese), fonts-noto-core, fonts-noto-cjk (Korean too)."
    return [Info(f"Invoices cannot print names in: {', '.join(scripts)}.", hint=hint, id="orders.I001")]


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


@register(deploy=True)
def seller_can_charge_vat(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The law wants one of the numbers on each invoice with VAT (Art. 226 (3) Directive 2006/112/EC)."""
    if not settings.SELLER_CHARGES_VAT or settings.SELLER_VAT_ID or settings.SELLER_TAX_NUMBER:
        return []
    return [
        Error(
            "SELLER_VAT_ID or SELLER_TAX_NUMBER must be set: an invoice with VAT names the seller's number.",
            hint="A small business that charges no VAT sets SELLER_CHARGES_VAT=false instead.",
            id="orders.E004",
        )
    ]
