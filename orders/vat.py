"""
VAT that is not charged: to businesses in another member state of the EU, and on what leaves the EU.

Both are off until the settings say otherwise (VAT_REVERSE_CHARGE, VAT_FREE_EXPORT), and need the seller's own VAT id.
Whether a VAT id is valid only the tax offices' service VIES knows; staff ask it and write the day down (VatId).
"""

from decimal import Decimal

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shop.models import Product

from .models import Order, VatId
from .vat_rules import Relief, state_of, state_of_id


def rate_of(product: Product) -> Decimal:
    return product.vat_rate if settings.SELLER_CHARGES_VAT else Decimal(0)


def relief(country: str, vat_id: str) -> str:
    """Return why no VAT is charged on what goes to this country for the holder of this id; empty when it is charged."""
    home, there = state_of(settings.SELLER_COUNTRY), state_of(country)
    if not settings.SELLER_CHARGES_VAT or not settings.SELLER_VAT_ID or not home or there == home:
        return ""
    if not there:
        return Relief.EXPORT if settings.VAT_FREE_EXPORT else ""
    return Relief.INTRA_EU if state_of_id(vat_id) == there and _is_trusted(vat_id) else ""


def _is_trusted(vat_id: str) -> bool:
    if settings.VAT_REVERSE_CHARGE == "verified":
        return VatId.objects.verified().filter(number=vat_id).exists()
    is_refused = VatId.objects.filter(number=vat_id, is_refused=True)
    return settings.VAT_REVERSE_CHARGE == "unverified" and not is_refused.exists()


def awaits_check(country: str, vat_id: str) -> bool:
    """Whether VAT is charged only because staff have not looked this id up yet."""
    return (
        settings.VAT_REVERSE_CHARGE == "verified"
        and bool(settings.SELLER_VAT_ID)
        and state_of_id(vat_id) == state_of(country) not in ("", state_of(settings.SELLER_COUNTRY))
        and not relief(country, vat_id)
    )


def notes(order: Order) -> list[str]:
    """Return what the law wants to be read on the invoice about what carries no VAT, by what is in it."""
    if order.vat_relief:
        return [str(NOTES[order.vat_relief, kind]) for kind in sorted({line.is_digital for line in order.lines.all()})]
    if all(line.vat_rate for line in order.lines.all()):
        return []
    return [settings.VAT_ZERO_NOTE or str(ZERO if settings.SELLER_CHARGES_VAT else SMALL)]


ZERO = _("0 %: exempt from VAT, or taxed at a rate of zero, in the seller's country.")
SMALL = _("No VAT is charged: exemption for small enterprises (Art. 284 Directive 2006/112/EC).")


# By the reason and by whether the thing is digital: goods are supplied where they start, services where the buyer is.
NOTES: dict[tuple[str, bool], Promise] = {
    (Relief.INTRA_EU, False): _("VAT-exempt intra-Community supply, Art. 138 Directive 2006/112/EC."),
    (Relief.INTRA_EU, True): _("Reverse charge, Art. 196 Directive 2006/112/EC: the buyer owes the VAT."),
    (Relief.EXPORT, False): _("VAT-exempt export, Art. 146 Directive 2006/112/EC."),
    (Relief.EXPORT, True): _("Not taxable in the EU, Art. 44 and 59 Directive 2006/112/EC."),
}
