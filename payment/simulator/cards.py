"""What the test cards do, by their numbers (https://docs.stripe.com/testing)."""

from typing import NamedTuple

PAYS = "4242424242424242"
ASKS = "4000002500003155"


class Decline(NamedTuple):
    """Stripe's `code`, the bank's `decline_code` beneath it, and what the buyer reads."""

    code: str
    decline_code: str
    message: str


DECLINES = {
    "4000000000000002": Decline("card_declined", "generic_decline", "Your card was declined."),
    "4000000000009995": Decline("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "4000000000009987": Decline("card_declined", "lost_card", "Your card was declined."),
    "4000000000009979": Decline("card_declined", "stolen_card", "Your card was declined."),
    "4000000000000069": Decline("expired_card", "", "Your card has expired."),
    "4000000000000127": Decline("incorrect_cvc", "", "Your card's security code is incorrect."),
    "4000000000000119": Decline("processing_error", "", "An error occurred while processing your card. Try again."),
}
GENERIC = DECLINES["4000000000000002"]
INVALID = Decline("incorrect_number", "", "Your card number is invalid.")
NOT_A_TEST_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. This is a test: only test cards work here, such as 4242 4242 4242 4242.",
)
# Cards that pay, and what comes of it later.
DISPUTES = {"4000000000000259": "needs_response", "4000000000001976": "warning_needs_response"}
REFUNDS = {"4000000000007726": "pending", "4000000000005126": "returned"}
PAYING = {PAYS, "5555555555554444", "378282246310005", ASKS, *DISPUTES, *REFUNDS}


def digits_of(number: str) -> str:
    return "".join(number.split()).replace("-", "")


def decline(number: str) -> Decline | None:
    """Return why this card does not pay, or None when it does."""
    digits = digits_of(number)
    if not digits.isascii() or not digits.isdigit() or not _checks_out(digits):
        return INVALID
    return None if digits in PAYING else DECLINES.get(digits, NOT_A_TEST_CARD)


def by_code(code: str) -> Decline:
    """Return the decline that a code or decline_code names; the plainest one for a name of neither."""
    return next((known for known in DECLINES.values() if code in (known.decline_code, known.code)), GENERIC)


def asks_for_3d_secure(number: str) -> bool:
    return digits_of(number) == ASKS


def _checks_out(digits: str) -> bool:
    """Luhn's checksum."""
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return len(digits) >= 12 and sum(number - 9 * (number > 9) for number in doubled) % 10 == 0
