"""What the test cards do, by their numbers (https://docs.stripe.com/testing)."""

PAYS = "4242424242424242"
DECLINES = "4000000000000002"
ASKS = "4000002500003155"
OUTCOMES = {
    PAYS: "",
    "5555555555554444": "",
    "378282246310005": "",
    ASKS: "",
    DECLINES: "Your card was declined.",
    "4000000000009995": "Your card has insufficient funds.",
    "4000000000000069": "Your card has expired.",
    "4000000000000127": "Your card's security code is incorrect.",
}


def problem(number: str) -> str:
    """Return why this card does not pay, in words for the buyer; empty when it does."""
    digits = "".join(number.split()).replace("-", "")
    if not digits.isascii() or not digits.isdigit() or not _checks_out(digits):
        return "Your card number is invalid."
    return OUTCOMES.get(
        digits, "Your card was declined. This is a test: only test cards work here, such as 4242 4242 4242 4242."
    )


def asks_for_3d_secure(number: str) -> bool:
    return "".join(number.split()) == ASKS


def _checks_out(digits: str) -> bool:
    """Luhn's checksum."""
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return len(digits) >= 12 and sum(number - 9 * (number > 9) for number in doubled) % 10 == 0
