"""What of a member is kept by the shop (archive/personal_data.py)."""

from archive.personal_data import register

from .models import StockAlert

register(
    StockAlert,
    lambda user: StockAlert.objects.filter(member=user),
    erase=lambda user: StockAlert.objects.filter(member=user).delete(),
)
