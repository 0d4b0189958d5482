from typing import Any

from django import template

from cart.forms import QuantityForm
from shop.models import Product

register = template.Library()


@register.inclusion_tag("cart/_cart_add_form.html")
def cart_add_form(product: Product, form: QuantityForm | None = None) -> dict[str, Any]:
    return {"product": product, "form": form or QuantityForm(product=product)}
