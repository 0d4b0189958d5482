"""What of a member is kept by the shop (archive/personal_data.py)."""

from archive.personal_data import register

from .models import StockAlert

register(
    StockAlert,
    lambda member: StockAlert.objects.filter(member=member.pk),
    erase=lambda member: StockAlert.objects.filter(member=member.pk).delete(),
)
