"""The simulator as its pages and its control see it; server.py puts it together."""

from typing import Protocol

from .api import Api
from .courier import Courier
from .faults import Faults
from .ledger import Ledger


class Parts(Protocol):
    api: Api
    courier: Courier
    faults: Faults
    ledger: Ledger

    def pay_by_bank(self, session_id: str, *, arrives: bool) -> None:
        """Begin a payment that takes days, and let it arrive or fail."""
