"""What of a member is kept by orders (config/personaldata.py)."""

from config.personaldata import register

from .models import Order

# Orders and invoices stay as the law wants them, with the names that are printed on them; only the account is unlinked.
register(
    Order,
    lambda user: Order.objects.filter(buyer=user),
    erase=lambda user: Order.objects.filter(buyer=user).update(buyer=None),
    without=("token", "checkout_key"),
)
