"""The mails that a product causes. Each is written in the transaction that causes it."""

from django.urls import reverse

from core.web.links import site_url
from mail import outbox

from .models import StockAlert


def stock_alert_confirm(alert: StockAlert) -> None:
    """Ask an address that anybody can have typed whether it wants to hear of the product."""
    _send(alert, "stock_alert_confirm", dedup_key=f"stock-alert-confirm:{alert.pk}")


def back_in_stock(alert: StockAlert) -> None:
    _send(alert, "back_in_stock", dedup_key=f"back-in-stock:{alert.pk}")


def _send(alert: StockAlert, template: str, *, dedup_key: str) -> None:
    context = {
        "product": alert.product,
        "product_url": site_url(alert.product.get_absolute_url()),
        "alert_url": site_url(reverse("shop:stock_alert_confirm", args=[alert.token])),
    }
    outbox.enqueue(
        kind=template, dedup_key=dedup_key, to=alert.email, template=f"shop/email/{template}", context=context
    )
