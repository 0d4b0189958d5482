from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _


class ProductListForm(forms.Form):
    """What a visitor asked the product list for; anything senseless counts as not asked."""

    sort = forms.ChoiceField(
        label=_("Sort by"),
        required=False,
        choices=[
            ("newest", _("Newest first")),
            ("price", _("Price, low to high")),
            ("-price", _("Price, high to low")),
            ("name", _("Name")),
        ],
    )
    in_stock = forms.BooleanField(label=_("In stock only"), required=False)

    @property
    def query(self) -> str:
        """The choices as a query string, for links to the same list of another category."""
        self.is_valid()
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        return f"?{urlencode(chosen)}" if chosen else ""

    @property
    def chosen_sort(self) -> str:
        self.is_valid()
        return self.cleaned_data.get("sort") or "newest"

    @property
    def only_in_stock(self) -> bool:
        self.is_valid()
        return bool(self.cleaned_data.get("in_stock"))


class StockAlertForm(forms.Form):
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
