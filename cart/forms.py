from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from shop.models import Product

from . import coupons
from .cart import MAX_LINES, MAX_QUANTITY, Cart, most_of


class QuantityForm(forms.Form):
    """How many pieces of a product to hold, or to add to those that the given cart holds."""

    quantity = forms.IntegerField(label=_("Quantity"), min_value=1, max_value=MAX_QUANTITY, initial=1)

    def __init__(self, *args: Any, product: Product, adds_to: Cart | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"id_%s_{product.pk}")
        super().__init__(*args, **kwargs)
        self.product = product
        self.adds_to = adds_to
        field = self.fields["quantity"]
        field.widget.attrs |= {"max": most_of(product), "inputmode": "numeric", "class": "quantity"}

    def clean_quantity(self) -> int:
        quantity: int = self.cleaned_data["quantity"]
        held = self.adds_to.quantity_of(self.product) if self.adds_to else 0
        limit = most_of(self.product)
        if self.adds_to and not self.adds_to.has_place_for(self.product):
            raise ValidationError(
                _("There are %(limit)s different products in your cart, and more do not fit."),
                code="full",
                params={"limit": MAX_LINES},
            )
        if held + quantity <= limit:
            return quantity
        if held:
            raise ValidationError(
                _("There are %(held)s in your cart already, and %(limit)s is the most you can have."),
                code="too_many",
                params={"held": held, "limit": limit},
            )
        raise ValidationError(
            ngettext_lazy("Only %(limit)s is left.", "Only %(limit)s are left.", "limit"),
            code="too_many",
            params={"limit": limit},
        )


class CouponForm(forms.Form):
    code = forms.CharField(label=_("Coupon code"), max_length=40)

    def __init__(self, *args: Any, cart: Cart, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cart = cart

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        try:
            self.cart.use_coupon(code)
        except coupons.CouponRefused as refusal:
            raise ValidationError(str(refusal), code="refused") from refusal
        return code
