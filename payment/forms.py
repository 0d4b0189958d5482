from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from shop.charges import from_stripe, to_stripe
from shop.currencies import currency_of
from shop.money import money, payable

from .models import Payment


class RefundForm(forms.Form):
    """How much of a payment goes back, and why. The amount is in the payment's own currency."""

    amount = forms.DecimalField(label=_("Amount"), max_digits=12, decimal_places=3)
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("The buyer reads this in the mail and on the credit note.")
    )
    restocks = forms.BooleanField(
        label=_("Put the goods back on the shelf"),
        required=False,
        help_text=_("All units of the order; only with a refund of all that is left."),
    )

    def __init__(self, *args: Any, payment: Payment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.payment = payment
        self.left = payment.refundable()
        decimals = currency_of(payment.currency).payable_decimals
        self.fields["amount"].widget.attrs["step"] = f"{Decimal(1).scaleb(-decimals):f}"
        self.fields["amount"].initial = f"{from_stripe(self.left, payment.currency):.{decimals}f}"
        self.fields["amount"].help_text = _("At most %(left)s.") % {"left": self.left_in_words()}

    def left_in_words(self) -> str:
        return money(from_stripe(self.left, self.payment.currency), self.payment.currency)

    def clean_amount(self) -> Decimal:
        amount = self.cleaned_data["amount"]
        if payable(amount, self.payment.currency) != amount:
            raise ValidationError(_("This has more decimals than can be paid."), code="too_many_decimals")
        if not 0 < to_stripe(amount, self.payment.currency) <= self.left:
            raise ValidationError(
                _("More than nothing and at most %(left)s."), code="out_of_range", params={"left": self.left_in_words()}
            )
        return amount

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("restocks") and "amount" in cleaned and self.minor() != self.left:
            self.add_error(
                "restocks", ValidationError(_("Only when all that is left is refunded."), code="part_restocked")
            )
        return cleaned

    def minor(self) -> int:
        return to_stripe(self.cleaned_data["amount"], self.payment.currency)
