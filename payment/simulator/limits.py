"""What Stripe refuses by amount, currency or number (https://docs.stripe.com/currencies); the table is the shop's."""

from typing import Any

from shop.charges import MAX_LINES, from_stripe, to_stripe
from shop.currencies import TABLE, Currency

from .params import ApiError, integer

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def currency(value: Any, param: str) -> str:
    if str(value).upper() not in TABLE:
        raise ApiError(400, f"Invalid currency: {value}. Stripe does not support it.", param=param)
    return str(value).lower()


def amount(value: Any, code: str, param: str, *, least: int = 0) -> int:
    """Return the whole units; refused when they are too many digits or stand for less than can be paid."""
    units, row = integer(value, param, least=least), TABLE[code.upper()]
    if units >= 10**row.max_digits:
        raise ApiError(400, f"Invalid integer: {units} is too large.", code="amount_too_large", param=param)
    step = 10 ** (row.stripe_decimals - row.payable_decimals)
    if units % step:
        message = f"Invalid amount: in {code} it must be evenly divisible by {step}."
        raise ApiError(400, message, code="invalid_charge_amount", param=param)
    return units


def total(units: int, code: str) -> None:
    """Refuse a session whose sum cannot be charged; one that costs nothing may be completed."""
    row = TABLE[code.upper()]
    if units >= 10**row.max_digits:
        message = f"The Checkout Session's total amount must be no more than {_words(units, row)}."
        raise ApiError(400, message, code="amount_too_large")
    if 0 < units < to_stripe(row.least, code):
        message = f"The Checkout Session's total amount due must add up to at least {row.least} {code}."
        raise ApiError(400, message, code="amount_too_small")


def _words(units: int, row: Currency) -> str:
    return f"{from_stripe(min(units, 10**row.max_digits - 1), row.code)} {row.code.lower()}"


def lines(given: Any) -> None:
    if not isinstance(given, list):
        raise ApiError(400, "Invalid array", param="line_items")
    if len(given) > MAX_LINES:
        message = f"Too many line items: a Checkout Session has at most {MAX_LINES}."
        raise ApiError(400, message, code="parameter_invalid", param="line_items")


def reason(value: Any) -> None:
    if value is not None and value not in REASONS:
        raise ApiError(400, f"Invalid reason: must be one of {', '.join(REASONS)}", param="reason")
