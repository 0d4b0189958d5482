"""Held against https://docs.stripe.com/currencies, whose examples these are."""

from decimal import Decimal

import pytest
from django.test import override_settings

from shop.charges import from_stripe, refusal, to_stripe
from shop.currencies import TABLE
from shop.money import payable


@pytest.mark.parametrize(
    ("code", "amount", "units"),
    [
        ("USD", "10", 1000),
        ("usd", "10", 1000),
        ("JPY", "500", 500),
        ("UGX", "5", 500),
        ("ISK", "5", 500),
        ("KWD", "5.12", 5120),
        ("HUF", "10.45", 1045),
        ("TWD", "800.45", 80045),
    ],
)
def test_amounts_become_what_stripe_counts_and_come_back(code, amount, units):
    assert to_stripe(Decimal(amount), code) == units
    assert from_stripe(units, code) == Decimal(amount)


@pytest.mark.parametrize("code", TABLE)
def test_whatever_is_payable_is_what_stripe_takes(code):
    for exact in ("0.004", "0.005", "1", "1.2345", "33.335", "99999.999"):
        amount = payable(Decimal(exact), code)
        units = to_stripe(amount, code)
        assert from_stripe(units, code) == amount
        assert units % 10 == 0 or code not in ("BHD", "JOD", "KWD", "OMR", "TND")
        assert units % 100 == 0 or code not in ("ISK", "UGX")


@pytest.mark.parametrize(
    ("code", "least", "below", "most", "above"),
    [
        ("EUR", "0.50", "0.49", "999999.99", "1000000.00"),
        ("GBP", "0.30", "0.29", "999999.99", "1000000.00"),
        ("HUF", "175.00", "174.99", "999999.99", "1000000.00"),
        ("JPY", "50", "49", "99999999", "100000000"),
        ("UGX", "1", None, "999999", "1000000"),
        ("BHD", "0.010", None, "99999.990", "100000.000"),
        ("IDR", "0.01", None, "9999999999.99", "10000000000.00"),
    ],
)
def test_totals_that_stripe_refuses_are_refused_in_words(code, least, below, most, above):
    assert refusal(Decimal(least), code=code) == refusal(Decimal(most), code=code) == ""
    assert refusal(Decimal(above), code=code).startswith("The most that can be paid at once is")
    if below:
        assert refusal(Decimal(below), code=code).startswith("The least that can be paid is")


def test_nothing_to_pay_is_no_refusal():
    assert refusal(Decimal(0), discount=Decimal(20)) == ""


def test_lines_must_fit_before_the_discount_is_taken_off():
    assert refusal(Decimal("900000"), discount=Decimal("99999.99")) == ""
    assert refusal(Decimal("900000"), discount=Decimal("100000"))


@override_settings(SHOP_CURRENCY="GBP")
def test_shops_own_currency_is_meant_when_none_is_named():
    assert refusal(Decimal("0.29")) == "The least that can be paid is £0.30. Please add something to your cart."
