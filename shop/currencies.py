"""
The currencies that can be charged, and what Stripe wants of each (https://docs.stripe.com/currencies): the one table.

`decimals` is how people count: none for JPY, three for BHD, two for most. `stripe_decimals` is how Stripe counts, which
differs for ISK and UGX: both have lost their hundredths, and Stripe still wants them, as 00. `payable_decimals` is how
fine an amount may be: Stripe takes three-decimal amounts only when they end in 0.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

MAX_DIGITS = 8


@dataclass(frozen=True)
class Currency:
    code: str
    decimals: int = 2
    stripe_decimals: int = 2
    payable_decimals: int = 2
    # The least that Stripe charges; it names none for the currencies in which it pays nobody out.
    least: Decimal = Decimal(0)
    max_digits: int = MAX_DIGITS

    @property
    def most(self) -> Decimal:
        """The largest amount that fits into Stripe's digits."""
        return Decimal(10**self.max_digits - 1).scaleb(-self.stripe_decimals)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# https://docs.stripe.com/currencies#presentment-currencies
CODES = _codes("""
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP
    CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD
    JPY KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN
    NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB
    TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW
""")
ZERO_DECIMAL = _codes("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF")  # …#zero-decimal
THREE_DECIMAL = _codes("BHD JOD KWD OMR TND")  # …#three-decimal
WITHOUT_HUNDREDTHS = _codes("ISK UGX")  # …#special-cases
# …#minimum-and-maximum-charge-amounts
LEAST = {
    **dict.fromkeys(_codes("AUD BRL CAD CHF EUR INR NZD SGD USD"), "0.50"),
    **dict.fromkeys(_codes("AED MYR PLN RON"), "2"),
    **dict.fromkeys(_codes("NOK SEK"), "3"),
    **dict.fromkeys(_codes("MXN THB"), "10"),
    **{"CZK": "15", "DKK": "2.50", "GBP": "0.30", "HKD": "4", "HUF": "175", "JPY": "50"},
}
LONGER = {"IDR": 12}


def _row(code: str) -> Currency:
    row = Currency(code, least=Decimal(LEAST.get(code, 0)), max_digits=LONGER.get(code, MAX_DIGITS))
    if code in ZERO_DECIMAL:
        return replace(row, decimals=0, stripe_decimals=0, payable_decimals=0)
    if code in WITHOUT_HUNDREDTHS:
        return replace(row, decimals=0, payable_decimals=0)
    return replace(row, decimals=3, stripe_decimals=3) if code in THREE_DECIMAL else row


TABLE = {code: _row(code) for code in CODES}


def currency_of(code: str) -> Currency:
    """Return the currency's row; one that Stripe does not know counts like most, and a check refuses to sell in it."""
    return TABLE.get(code.upper()) or Currency(code.upper())
