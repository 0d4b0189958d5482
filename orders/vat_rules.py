"""
What a VAT id looks like, and why an order may carry no VAT: rules that know no table, for models too (vat.py asks
them).

How each member state writes its ids, and their check digits, python-stdnum knows. Whether an id is in use it cannot
know.
"""

import re

from django.db import models
from django.utils.translation import gettext_lazy as _
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError

LONGEST = 20  # what the column holds; on digits by the thousand python-stdnum fails
# Greece's ids begin with EL; Monaco belongs to the VAT area of France.
PREFIXES = {"GR": "EL", "MC": "FR"}
# Without Northern Ireland (XI), which belongs to it for goods alone: an order names its country GB.
STATES = {PREFIXES.get(code, code) for code in map(str.upper, eu_vat.MEMBER_STATES)} - {"XI"}


class Relief(models.TextChoices):
    """Why an order carries no VAT."""

    INTRA_EU = "intra_eu", _("business in another EU country")
    EXPORT = "export", _("sent outside the EU")


class BadVatId(ValueError):
    """A text that begins like a member state's VAT id and is none."""


def state_of(country: str) -> str:
    """Return the two letters that VAT ids of the country begin with; empty outside the EU's VAT area."""
    prefix = PREFIXES.get(country, country)
    return prefix if prefix in STATES else ""


def state_of_id(vat_id: str) -> str:
    """Return the member state of a VAT id that is written as clean() leaves it; empty for any other text."""
    state = state_of(vat_id[:2])
    return state if _spelt(state, vat_id[2:]) == vat_id else ""


def clean(text: str, country: str) -> str:
    """
    Return a typed VAT id in one spelling, with the country's letters in front where they were left out.

    Raises BadVatId for one that a member state could not have given; ids of other countries are kept as they are.
    """
    written = re.sub(r"[\s.\-/]", "", text).upper()
    named, expected = state_of(written[:2]), state_of(country)
    if found := _spelt(named, written[2:]) or _spelt(expected, written):
        return found
    if named or (expected and written.isdigit()):
        raise BadVatId(written)
    return text.strip()


def _spelt(state: str, number: str) -> str:
    """Return the one way to write this number of a member state; empty if the state could not have given it."""
    if not state or len(number) > LONGEST:
        return ""
    try:
        return eu_vat.validate(state + number)
    except ValidationError:
        return ""
