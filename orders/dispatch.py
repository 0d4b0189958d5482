"""Handing the goods over: the order's status, the parcel's number and the buyer's mail, together or not at all."""

from django.db import transaction
from django.utils.translation import gettext as _

from account.models import User

from . import mails
from .models import Order


def send(order: Order, *, actor: User, tracking: str = "") -> bool:
    """Mark the order as sent and tell the buyer once; False when it is in no state for this."""
    with transaction.atomic():
        if not order.mark_sent(actor=actor):
            return False
        if tracking:
            note_tracking(order, tracking, actor=actor)
        mails.sent(order)
    return True


def note_tracking(order: Order, tracking: str, *, actor: User) -> None:
    """Write down where the parcel can be followed; also later, when the number came late."""
    if tracking == order.tracking:
        return
    Order.objects.filter(pk=order.pk).update(tracking=tracking)
    order.tracking = tracking
    order.remember(_("Tracking: %(tracking)s") % {"tracking": tracking}, actor=actor)
