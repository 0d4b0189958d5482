from functools import lru_cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models.fields import BLANK_CHOICE_DASH
from django.forms.utils import flatatt
from django.urls import reverse_lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from account.models import User
from mail.addresses import validate_reachable

from . import vat_rules
from .models import Order, Withdrawal, new_token


class CountrySelect(forms.Select):
    """A plain select, whose 249 options are written once. Django renders a template for each, and each time."""

    def use_required_attribute(self, initial: Any) -> bool:
        return True  # the first option is the empty one

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        own = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        return format_html("<select{}>{}</select>", flatatt(own), country_options(str(value or ""), get_language()))


@lru_cache(maxsize=64)
def country_options(chosen: str, _language: str | None) -> SafeString:
    """Return the countries in the language that is in force."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (code, SafeString(" selected") if code == chosen else "", label)
            for code, label in [*BLANK_CHOICE_DASH, *countries]
        ),
    )


class OrderCreateForm(forms.ModelForm):
    """Who, where and consent. The amounts are not the form's: they come from the cart."""

    AUTOCOMPLETE = {
        "email": "email",
        "first_name": "given-name",
        "last_name": "family-name",
        "address": "street-address",
        "postal_code": "postal-code",
        "city": "address-level2",
        "country": "country",
        "company": "organization",
    }

    email = forms.EmailField(
        label=_("E-mail"),
        validators=[validate_reachable],
        help_text=_("The confirmation and the invoice go there."),
    )
    terms = forms.BooleanField(label=_("I agree to the terms and know my right of withdrawal"))
    checkout_key = forms.RegexField(r"^[\w-]{16,64}$", widget=forms.HiddenInput)

    class Meta:
        model = Order
        fields = [
            "email",
            "first_name",
            "last_name",
            "address",
            "postal_code",
            "city",
            "country",
            "company",
            "vat_id",
        ]
        widgets = {"country": CountrySelect}

    def __init__(
        self, data: Any = None, *, buyer: User | None = None, last_token: str = "", checkout_key: str = ""
    ) -> None:
        first_guess = {"country": settings.SELLER_COUNTRY, "checkout_key": checkout_key or new_token()}
        known = known_contact(buyer, last_token)
        super().__init__(data, initial=first_guess | known)
        # Decides alone what the fields look like while nothing is known of the buyer (`{% fragment by … %}`).
        self.untouched = None if self.is_bound or known else settings.SELLER_COUNTRY
        for name, token in self.AUTOCOMPLETE.items():
            self.fields[name].widget.attrs["autocomplete"] = token
        self.fields["postal_code"].widget.attrs["autocapitalize"] = "characters"
        # With JavaScript the amounts follow these at once; without, the page asks again when they differ.
        for name in ("country", "vat_id"):
            self.fields[name].widget.attrs |= {
                "hx-get": reverse_lazy("orders:order_create"),
                "hx-trigger": "change",
                "hx-include": "[name=country], [name=vat_id]",
                "hx-target": "#order-summary",
                "hx-swap": "outerHTML",
                "hx-sync": "closest form:replace",
            }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        country = str(cleaned.get("country") or "")
        try:
            cleaned["vat_id"] = vat_rules.clean(cleaned.get("vat_id", ""), country)
        except vat_rules.BadVatId:
            message = _(
                "This is not a VAT id. One of this country begins with %(letters)s; leave it empty if in doubt."
            )
            letters = {"letters": vat_rules.state_of(country) or country}
            self.add_error("vat_id", ValidationError(message, code="bad_vat_id", params=letters))
        return cleaned

    @property
    def contact(self) -> dict[str, Any]:
        """The order's name and address fields, of a valid form."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


def known_contact(buyer: User | None, last_token: str) -> dict[str, Any]:
    """Return what need not be typed again: the address of a member's last order, or of a browser's, or the account."""
    orders = Order.objects.values(*OrderCreateForm.Meta.fields)
    if buyer is not None:
        account = {"email": buyer.email, "first_name": buyer.first_name, "last_name": buyer.last_name}
        return account | (orders.filter(buyer=buyer).first() or {})
    return orders.filter(token=last_token).first() or {} if last_token else {}


class WithdrawalForm(forms.ModelForm):
    """The buyer's own words; whether the order exists is not told, or the form would answer that to anybody."""

    email = forms.EmailField(
        label=_("E-mail"), validators=[validate_reachable], help_text=_("We send the receipt there at once.")
    )
    key = forms.RegexField(r"^[\w-]{16,64}$", widget=forms.HiddenInput, initial=new_token)

    class Meta:
        model = Withdrawal
        fields = ["name", "email", "order_number", "note"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "note": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {"order_number": _("It is in the subject of our mails, such as #12.")}

    def __init__(self, data: Any = None, *, order: Order | None = None) -> None:
        initial = {"name": order.full_name, "email": order.email, "order_number": f"#{order.pk}"} if order else {}
        super().__init__(data, initial=initial)
        self.fields["email"].widget.attrs["autocomplete"] = "email"


class SendForm(forms.Form):
    """What the parcel can be followed by: an address or a number."""

    tracking = forms.CharField(
        label=_("Tracking"), max_length=300, required=False, help_text=_("A web address becomes a link.")
    )


class NoteForm(forms.Form):
    note = forms.CharField(label=_("Note"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
