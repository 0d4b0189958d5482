from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _


class CartConfig(AppConfig):
    name = "cart"
    verbose_name = _("Cart")

    def ready(self) -> None:
        from .login import join_saved_cart

        # Logging in is Django's act, not one of our apps', so a signal is the only way to hear of it.
        user_logged_in.connect(join_saved_cart, dispatch_uid="cart.join_saved_cart")
