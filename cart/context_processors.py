from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from .cart import Cart


def cart(request: HttpRequest) -> dict[str, object]:
    """Give every template a cart for its header; nothing is read until a template asks."""
    return {"cart": SimpleLazyObject(lambda: Cart(request))}
