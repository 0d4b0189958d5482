"""
VAT that is not charged: to businesses in another member state of the EU, and on what leaves the EU.

Both are off until the settings say otherwise (VAT_REVERSE_CHARGE, VAT_FREE_EXPORT), and need the seller's own VAT id.
Whether a VAT id is valid only the tax offices' service VIES knows; staff ask it and write the day down (VatId).
"""

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shop.models import Product

if TYPE_CHECKING:
    from .models import Order

# What follows the two letters in each member state, as VIES describes it.
FORMATS = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"(?=.*[A-Z])[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]",
    "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{10}\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{10}01",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
}
# Greece's ids begin with EL; Monaco belongs to the VAT area of France.
PREFIXES = {"GR": "EL", "MC": "FR"}


class Relief(models.TextChoices):
    """Why an order carries no VAT."""

    INTRA_EU = "intra_eu", _("business in another EU country")
    EXPORT = "export", _("sent outside the EU")


class BadVatId(ValueError):
    """A text that begins like a member state's VAT id and is none."""


def state_of(country: str) -> str:
    """Return the two letters that VAT ids of the country begin with; empty outside the EU's VAT area."""
    prefix = PREFIXES.get(country, country)
    return prefix if prefix in FORMATS else ""


def state_of_id(vat_id: str) -> str:
    """Return the member state of a VAT id that is written as clean() leaves it; empty for any other text."""
    state = vat_id[:2]
    return state if state in FORMATS and re.fullmatch(FORMATS[state], vat_id[2:], re.ASCII) else ""


def clean(text: str, country: str) -> str:
    """
    Return a typed VAT id in one spelling, with the country's letters in front where they were left out.

    Raises BadVatId for one that a member state could not have given; ids of other countries are kept as they are.
    """
    written = re.sub(r"[\s.\-/]", "", text).upper()
    for candidate in (written, state_of(country) + written):
        if state_of_id(candidate):
            return candidate
    if written[:2] in FORMATS or (state_of(country) and written.isdigit()):
        raise BadVatId(written)
    return text.strip()


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
    from .models import VatId  # models.py needs this module

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


def notes(order: "Order") -> list[str]:
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
