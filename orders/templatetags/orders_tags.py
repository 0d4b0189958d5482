import re
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.conf import settings
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.html import format_html, strip_tags

from core.caching.memory import cached
from orders import guest_orders, sales
from orders.models import Order
from orders.views import SESSION_KEY
from shop.money import money

register = template.Library()


SHOWN = 5
COLUMNS = ("token", "status", "undone_by", "currency", "total", "created_at", "expires_at")


@register.inclusion_tag("orders/_my_orders.html", takes_context=True)
def my_orders(context: dict[str, Any]) -> dict[str, Any]:
    """Show the member's newest orders."""
    member = context["request"].user
    guest_orders.claim(member)
    orders = cached(("my orders", member.pk), partial(_newest_orders, member.pk))
    return {"orders": orders[:SHOWN], "more": len(orders) > SHOWN}


def _newest_orders(buyer: int) -> list[Order]:
    return list(Order.objects.filter(buyer=buyer).only(*COLUMNS)[: SHOWN + 1])


@register.inclusion_tag("orders/_waiting_order.html", takes_context=True)
def waiting_order(context: dict[str, Any]) -> dict[str, Any]:
    """Lead to the newest order of this browser or member that waits to be paid; nothing when there is none."""
    request = context["request"]
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return {}
    theirs = Q(token__in=request.session.get(SESSION_KEY) or [])
    if request.user.is_authenticated:
        theirs |= Q(buyer=request.user)
    return {"order": Order.objects.payable().filter(theirs).first()}


@register.inclusion_tag("orders/_sales.html", takes_context=True)
def sales_overview(context: dict[str, Any]) -> dict[str, Any]:
    """Show the shop's figures on the admin's start page, to staff who may see orders."""
    request = context["request"]
    if not request.user.has_perm("orders.view_order"):
        return {}
    name = request.GET.get("sales", "")
    name = name if name in sales.PERIODS else "day"
    bars = sales.chart(name)
    return {
        "periods": [(key, period.label, key == name) for key, period in sales.PERIODS.items()],
        "span": sales.PERIODS[name].span,
        "bars": bars,
        "sum": sum((bar.amount for bar in bars), Decimal(0)),
        "width": sales.WIDTH,
        "height": sales.HEIGHT,
        "base": sales.BASE,
        "today": sales.today(),
        "scarce": sales.scarce(),
    }


@register.filter
def amount(value: str, currency: str) -> str:
    """Show an amount that an invoice's snapshot keeps as text."""
    return money(Decimal(value), currency)


@register.filter
def is_some(value: Any) -> bool:
    """Return whether an amount, also one kept as text, is not zero."""
    try:
        return Decimal(value) != 0
    except InvalidOperation:
        return False


@register.filter
def from_iso(value: str) -> str:
    return date_format(date.fromisoformat(value), "DATE_FORMAT")


@register.filter
def as_text(html: str) -> str:
    """Return what a piece of HTML says, for the plain half of a mail: a blank line where a block ends."""
    lines = strip_tags(re.sub(r"</(?:p|h\d|li)>|<br>", "\n\n", " ".join(html.split()))).split("\n\n")
    return "\n\n".join(unescape(line).strip() for line in lines if line.strip())


@register.filter
def one_line(value: str) -> str:
    return ", ".join(value.splitlines())


@register.simple_tag
def tracking(order: Order) -> str:
    """Show what staff wrote to follow the parcel by: a web address as a link, anything else as it is."""
    text = order.tracking
    if not text.startswith(("https://", "http://")):
        return text
    return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', text, urlsplit(text).hostname or text)
