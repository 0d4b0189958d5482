"""
"Tell me when it is back": a wish is asked for, confirmed by its mail's link, and answered by one mail.

Nobody is mailed because a stranger typed their address: only the confirmation goes out, and few of those a day.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from account.models import User
from core.jobs.rows import each
from core.web.ratelimit import hit

from . import mails
from .models import Product, StockAlert

UNCONFIRMED = timedelta(days=7)
ANSWERED = timedelta(days=90)


def ask(product: Product, email: str, *, member: User | None = None) -> StockAlert:
    """
    Note the wish; a proven member's own address needs no confirmation, any other gets a mail with a link.

    Asking again is the same wish.
    """
    with transaction.atomic():
        alert, _ = StockAlert.objects.filter(sent_at=None).get_or_create(
            product=product, email__iexact=email, defaults={"email": email, "member": member}
        )
        if member is not None:
            confirm(alert)
        elif alert.confirmed_at is None and hit("stock-alert", email.lower(), "3/d"):
            mails.stock_alert_confirm(alert)
    return alert


def confirm(alert: StockAlert) -> None:
    StockAlert.objects.filter(pk=alert.pk, confirmed_at=None).update(confirmed_at=timezone.now())


def answer(alert: StockAlert) -> bool:
    """Mail that the product is back; True for the one caller that did it."""
    with transaction.atomic():
        if not StockAlert.objects.due().filter(pk=alert.pk).update(sent_at=timezone.now()):
            return False
        mails.back_in_stock(alert)
    return True


def answer_all() -> int:
    """Answer every wish that can be answered, and drop old rows; return how many mails were written."""
    now = timezone.now()
    StockAlert.objects.filter(confirmed_at=None, created_at__lt=now - UNCONFIRMED).delete()
    StockAlert.objects.filter(sent_at__lt=now - ANSWERED).delete()
    return each(answer, StockAlert.objects.due().select_related("product")[:1000])
