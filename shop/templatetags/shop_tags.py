import html
import re
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.utils import formats

from shop import money
from shop.models import Product

register = template.Library()
register.filter("money", money.money)

LINK = re.compile(r'<a [^>]*href="([^"]+)"')
PRODUCT = re.compile(r"/shop/(\d{1,18})/")
MOST_MENTIONED = 6


@register.filter
def vat_rate(rate: Decimal) -> str:
    """Format a rate without needless zeros: 19.00 is "19", 5.50 is "5.5"."""
    return formats.number_format(rate.normalize(), use_l10n=True)


@register.filter
def plain_amount(amount: Decimal) -> str:
    """Format for machines: a point, the currency's decimals, nothing else."""
    return f"{money.quantize(amount):f}"


@register.simple_tag
def shop_currency() -> str:
    return str(settings.SHOP_CURRENCY)


@register.inclusion_tag("shop/_products_mentioned.html")
def products_mentioned(post: Any) -> dict[str, Any]:
    """Show the products that a post (anything with `body_html`) links to: one query, and none when it links to none."""
    ids = mentioned_ids(post.body_html)
    found = Product.objects.on_show().select_related("cover").in_bulk(ids) if ids else {}
    return {"products": [found[pk] for pk in ids if pk in found]}


def mentioned_ids(body_html: str) -> list[int]:
    """Return the products' ids in the order in which the text first links to them."""
    paths = (html.unescape(address).removeprefix(settings.SITE_URL) for address in LINK.findall(body_html))
    matches = (PRODUCT.match(path) for path in paths)
    return list(dict.fromkeys(int(match[1]) for match in matches if match))[:MOST_MENTIONED]
