"""What of a member is kept by orders (archive/personaldata.py)."""

from archive.personaldata import register

from . import claims
from .models import Order

# Orders and invoices stay as the law wants them, with the names that are printed on them. They stay with the nameless
# row, those bought as a guest included: whoever has the address next would take in what nobody holds (claims.py).
register(
    Order,
    lambda user: Order.objects.filter(buyer=user),
    erase=claims.claim,
    without=("token", "checkout_key"),
)
