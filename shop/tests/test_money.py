from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings
from django.utils import translation
from hypothesis import given
from hypothesis.strategies import integers, sampled_from

from shop.checks import currency_can_be_charged
from shop.money import from_minor, money, quantize, to_minor, validate_price
from shop.templatetags.shop_tags import plain_amount, vat_rate


@pytest.mark.parametrize(
    ("currency", "amount", "minor", "shown"),
    [
        ("EUR", "12.5", 1250, "€12.50"),
        ("USD", "1234567.89", 123456789, "$1,234,567.89"),
        ("JPY", "1250", 1250, "¥1,250"),
        ("BHD", "1.25", 1250, "BHD\xa01.250"),
        ("UGX", "50000", 50000, "UGX\xa050,000"),
    ],
)
def test_every_currency_has_its_own_decimals(currency, amount, minor, shown):
    assert to_minor(Decimal(amount), currency) == minor
    assert from_minor(minor, currency) == Decimal(amount)
    with override_settings(SHOP_CURRENCY=currency):
        assert money(Decimal(amount)) == shown


@given(minor=integers(min_value=0, max_value=10**10), currency=sampled_from(["EUR", "JPY", "BHD"]))
def test_minor_units_come_back_as_they_were(minor, currency):
    assert to_minor(from_minor(minor, currency), currency) == minor


def test_half_a_cent_is_rounded_up_for_everybody():
    assert [quantize(Decimal(text), "EUR") for text in ("0.005", "0.015", "0.025")] == [
        Decimal("0.01"),
        Decimal("0.02"),
        Decimal("0.03"),
    ]


def test_amounts_are_shown_in_the_readers_language_but_never_to_machines():
    with translation.override("de"):
        assert money(Decimal("1234.5"), "EUR") == "1.234,50\xa0€"
        assert vat_rate(Decimal("5.50")) == "5,5"
        assert plain_amount(Decimal("1234.5")) == "1234.50"


def test_language_without_rules_for_amounts_borrows_the_english_ones():
    with translation.override("xx"):
        assert money(Decimal("12.5"), "EUR") == "€12.50"


def test_rates_lose_needless_zeros_only():
    assert [vat_rate(Decimal(text)) for text in ("20.00", "5.50", "0.00", "100.00")] == ["20", "5.5", "0", "100"]


@pytest.mark.parametrize(
    ("currency", "good", "bad"),
    [
        ("BHD", "1.250", "1.255"),
        ("UGX", "5000", "5000.5"),
        ("ISK", "700", "700.50"),
        ("JPY", "1", "0.5"),
        ("EUR", "999999.99", "1000000"),
        ("JPY", "99999999", "100000000"),
        ("IDR", "9999999999.99", "10000000000"),
    ],
)
def test_price_that_stripe_would_refuse_is_refused(currency, good, bad):
    with override_settings(SHOP_CURRENCY=currency):
        validate_price(Decimal(good))
        with pytest.raises(ValidationError):
            validate_price(Decimal(bad))


def test_shop_does_not_start_in_a_currency_that_stripe_does_not_charge():
    assert currency_can_be_charged(None) == []
    for code in ("XXX", "", "EURO", "DEM"):
        with override_settings(SHOP_CURRENCY=code):
            assert [error.id for error in currency_can_be_charged(None)] == ["shop.E001"]
