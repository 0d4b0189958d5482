"""At login the visitor's cart and the one the member left behind become one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import ngettext

from account.models import User

from .cart import Cart, parse
from .models import SavedCart


def join_saved_cart(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Handle Django's user_logged_in: add what was saved, and say so."""
    if request is None or not hasattr(request, "session"):
        return
    cart = Cart(request, owner=user)
    saved = SavedCart.objects.filter(owner=user).first()
    added = cart.join(parse(saved.items)) if saved else 0
    if added:
        text = ngettext(
            "%(count)s product from your last visit is back in your cart.",
            "%(count)s products from your last visit are back in your cart.",
            added,
        )
        messages.info(request, text % {"count": added}, fail_silently=True)
    elif cart and not saved:
        cart.save_for_owner()
