"""What of a member is kept by the shop (archive/personaldata.py)."""

from archive.personaldata import register

from .models import StockAlert

register(
    StockAlert,
    lambda user: StockAlert.objects.filter(member=user),
    erase=lambda user: StockAlert.objects.filter(member=user).delete(),
)
