"""Orders placed as a guest find their member once the member has proven the address they were sent to."""

from django.db.models.functions import Lower

from core.caching.memory import cached
from core.people import Member

from .models import Order, OrderQuerySet


def orders_of(member: Member) -> OrderQuerySet:
    """Return the member's orders, newest first, after taking in what was bought as a guest."""
    claim(member)
    return Order.objects.filter(buyer=member.pk)


def claim(member: Member) -> int:
    """
    Make the guest orders of the member's proven address theirs; return how many. Safe to repeat.

    Called whenever a list of orders is about to be shown: the one moment it matters, and no other app need know of it.
    """
    if not member.email_proven_at:
        return 0
    # Lower() on both databases' index; iexact would be UPPER() on one and LIKE, a scan, on the other.
    guest_orders = Order.objects.alias(address_key=Lower("email")).filter(buyer=None, address_key=member.email.lower())
    # Looked at first, so that showing a list writes nothing (and locks no SQLite) but the first time.
    are_there = cached(("guest orders", member.pk, member.email), lambda: guest_orders.all().exists())
    return guest_orders.update(buyer=member.pk) if are_there else 0
