"""What of a member is kept by the cart (archive/personal_data.py)."""

from archive.personal_data import register

from .models import CouponUse, SavedCart

register(
    SavedCart,
    lambda user: SavedCart.objects.filter(owner=user),
    erase=lambda user: SavedCart.objects.filter(owner=user).delete(),
)
# The use itself stays: it belongs to an order.
register(
    CouponUse,
    lambda user: CouponUse.objects.filter(user=user),
    erase=lambda user: CouponUse.objects.filter(user=user).update(user=None),
)
