from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from cart.cart import most_of
from cart.forms import QuantityForm
from shop.models import Product

register = template.Library()

ANY = 0  # the number of no product


@register.inclusion_tag("cart/_cart_add_form.html")
def cart_add_form(product: Product, form: QuantityForm | None = None) -> dict[str, Any]:
    return {"product": product, "form": form}


@register.filter
def empty_quantity(product: Product) -> SafeString:
    """Return the field of a form into which nothing was typed; two products' differ by the number in its id alone."""
    field = _empty_quantity(most_of(product), get_language())
    return SafeString(field.replace(f"id_quantity_{ANY}", f"id_quantity_{product.pk}"))


@lru_cache(maxsize=1024)
def _empty_quantity(most: int, language: str | None) -> str:
    anything: Any = SimpleNamespace(pk=ANY, stock=most)
    return str(QuantityForm(product=anything)["quantity"].as_field_group())
