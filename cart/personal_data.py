"""What of a member is kept by the cart (archive/personal_data.py)."""

from archive.personal_data import register

from .models import CouponUse, SavedCart

register(
    SavedCart,
    lambda member: SavedCart.objects.filter(owner=member.pk),
    erase=lambda member: SavedCart.objects.filter(owner=member.pk).delete(),
)
# The use itself stays: it belongs to an order.
register(
    CouponUse,
    lambda member: CouponUse.objects.filter(user=member.pk),
    erase=lambda member: CouponUse.objects.filter(user=member.pk).update(user=None),
)
