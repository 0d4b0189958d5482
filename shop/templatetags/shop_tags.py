import html
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString

from content.templatetags.pictures import picture
from core.templatetags.fragments import shown_each
from shop import money
from shop.models import Card, Product
from shop.models.cards import few_words

register = template.Library()
register.filter("money", money.money)

LINK = re.compile(r'<a [^>]*href="([^"]+)"')
PRODUCT = re.compile(r"/shop/(\d{1,18})/")
MOST_MENTIONED = 6
CARD = """<li class="card">{picture}
<h3><a href="{url}">{name}</a></h3>
<p class="price">{price}</p>{badge}</li>"""


@register.filter
def vat_rate(rate: Decimal) -> str:
    """Format a rate without needless zeros: 19.00 is "19", 5.50 is "5.5"."""
    return formats.number_format(rate.normalize(), use_l10n=True)


@register.filter
def plain_amount(amount: Decimal) -> str:
    """Format for machines: a point, the currency's decimals, nothing else."""
    return f"{money.quantize(amount):f}"


@register.simple_tag
def cover(product: Product | Card, *, eager: bool = False) -> str:
    """Show the product's first picture, or its initial."""
    shown = product.cover
    if not shown:
        return format_html('<span class="no-picture" aria-hidden="true">{}</span>', product.name[:1])
    return picture(shown.file, "tile", alt=shown.alt, width=shown.width, height=shown.height, eager=eager)


@register.simple_tag
def product_cards(products: Iterable[Card], *, eager: bool = False) -> SafeString:
    """Show the products of a list; `eager` says that the first is in sight when the page opens."""
    return shown_each(products, _card, eager=eager)


def _card(product: Card, *, eager: bool) -> SafeString:
    # Written here and not as a template, which takes five times as long.
    return format_html(
        CARD,
        url=product.get_absolute_url(),
        picture=cover(product, eager=eager),
        name=product.name,
        price=money.money(product.price),
        badge=_badge(product.stock) if product.is_scarce and product.stock is not None else "",
    )


def _badge(stock: int) -> SafeString:
    look = "warn" if stock else "quiet"
    return format_html('\n<p class="badge {}">{}</p>', look, few_words(stock))


@register.simple_tag
def shop_currency() -> str:
    return str(settings.SHOP_CURRENCY)


@register.inclusion_tag("shop/_products_mentioned.html")
def products_mentioned(post: Any) -> dict[str, Any]:
    """Show the products that a post (anything with `body_html`) links to: one query, and none when it links to none."""
    ids = mentioned_ids(post.body_html)
    found = Product.objects.on_show().filter(pk__in=ids).cards() if ids else []
    return {"products": sorted(found, key=lambda card: ids.index(card.pk))}


def mentioned_ids(body_html: str) -> list[int]:
    """Return the products' ids in the order in which the text first links to them."""
    paths = (html.unescape(address).removeprefix(settings.SITE_URL) for address in LINK.findall(body_html))
    matches = (PRODUCT.match(path) for path in paths)
    return list(dict.fromkeys(int(match[1]) for match in matches if match))[:MOST_MENTIONED]
