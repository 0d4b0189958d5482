"""What of a member is kept by orders (archive/personal_data.py)."""

from archive.personal_data import register

from . import guest_orders
from .models import Order

# Orders and invoices stay as the law wants them, with the names that are printed on them. They stay with the nameless
# row, those bought as a guest included: whoever has the address next would take in what nobody holds (guest_orders.py).
register(
    Order,
    lambda member: Order.objects.filter(buyer=member.pk),
    erase=guest_orders.claim,
    without=("token", "checkout_key"),
)
