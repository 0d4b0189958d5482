from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from orders import returns
from orders.returns import Things
from shop.charges import from_stripe, to_stripe
from shop.currencies import currency_of
from shop.money import money, payable

from .models import Payment


class RefundForm(forms.Form):
    """What of an order, or how much of its payment, goes back, and why. The amount is in the payment's own currency."""

    amount = forms.DecimalField(label=_("Amount"), max_digits=12, decimal_places=3, required=False)
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("The buyer reads this in the mail and on the credit note.")
    )
    restocks = forms.BooleanField(
        label=_("Put the goods back on the shelf"),
        required=False,
        help_text=_("What you have chosen above; with an amount, all units, and only when all that is left goes back."),
    )

    def __init__(self, *args: Any, payment: Payment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.payment = payment
        self.left = payment.refundable()
        decimals = currency_of(payment.currency).payable_decimals
        self.fields["amount"].widget.attrs["step"] = f"{Decimal(1).scaleb(-decimals):f}"
        self.fields["amount"].help_text = _("At most %(left)s, instead of single things.") % {
            "left": self.left_in_words()
        }
        self.back = payment.things_back()
        self.thing_names = self._add_things() if payment.is_accepted else []
        for name in [*self.thing_names, "amount"]:
            self.fields[name].is_one_of_two = True  # type: ignore[attr-defined]  # one is needed: none is "optional"
        self.order_fields([*self.thing_names, *self.fields])

    def _add_things(self) -> list[str]:
        order, names = self.payment.order, []
        for line in order.lines.all():
            if left := line.quantity - self.back.pieces.get(line.pk, 0):
                names.append(f"line_{line.pk}")
                words = {"left": left, "price": money(line.unit_price, order.currency)}
                help_text = _("of %(left)s, at %(price)s each") % words
                self.fields[names[-1]] = forms.IntegerField(
                    label=line.name, min_value=0, max_value=left, required=False, help_text=help_text
                )
        if order.shipping and not self.back.shipping:
            names.append("shipping")
            label = _("Shipping, %(price)s") % {"price": money(order.shipping, order.currency)}
            self.fields["shipping"] = forms.BooleanField(label=label, required=False)
        return names

    @property
    def thing_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.thing_names]

    @property
    def things(self) -> Things:
        """What was chosen; nothing when an amount was typed instead."""
        chosen = {name: self.cleaned_data.get(name) for name in self.thing_names if name != "shipping"}
        pieces = {int(name.removeprefix("line_")): number for name, number in chosen.items() if number}
        return Things(pieces, bool(self.cleaned_data.get("shipping")))

    def chosen_in_words(self) -> list[str]:
        """Return what goes back, for staff to look at once more; nothing when an amount was typed."""
        chosen = [(field.label, self.cleaned_data.get(field.name)) for field in self.thing_fields]
        return [str(label) if number is True else f"{number} \u00d7 {label}" for label, number in chosen if number]

    def left_in_words(self) -> str:
        return money(from_stripe(self.left, self.payment.currency), self.payment.currency)

    def clean_amount(self) -> Decimal | None:
        amount: Decimal | None = self.cleaned_data["amount"]
        if amount is None:
            return None
        if payable(amount, self.payment.currency) != amount:
            raise ValidationError(_("This has more decimals than can be paid."), code="too_many_decimals")
        if not 0 < to_stripe(amount, self.payment.currency) <= self.left:
            raise ValidationError(
                _("More than nothing and at most %(left)s."), code="out_of_range", params={"left": self.left_in_words()}
            )
        return amount

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if self.things and cleaned["amount"] is not None:
            raise ValidationError(_("Choose things or type an amount, not both."), code="both")
        if self.things:
            cleaned["amount"] = self._worth()
        elif cleaned["amount"] is None:
            self.add_error("amount", ValidationError(_("Choose things above, or type an amount."), code="required"))
        elif cleaned.get("restocks") and self.minor() != self.left:
            self.add_error(
                "restocks", ValidationError(_("Only when all that is left is refunded."), code="part_restocked")
            )
        return cleaned

    def _worth(self) -> Decimal:
        parts = returns.worth(self.payment.order, self.things, before=self.back)
        amount = payable(sum(parts.values(), Decimal(0)), self.payment.currency)
        if not 0 < to_stripe(amount, self.payment.currency) <= self.left:
            raise ValidationError(
                _("These are worth %(worth)s, and %(left)s can go back: type an amount instead."),
                code="out_of_range",
                params={"worth": money(amount, self.payment.currency), "left": self.left_in_words()},
            )
        return amount

    def minor(self) -> int:
        return to_stripe(self.cleaned_data["amount"], self.payment.currency)
