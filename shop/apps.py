from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from search.registry import register


class ShopConfig(AppConfig):
    name = "shop"
    verbose_name = _("Shop")

    def ready(self) -> None:
        from . import checks  # noqa: F401 (registers itself)
        from .documents import product_entry
        from .models import Product

        register(Product, "product", product_entry, rows=lambda: Product.objects.select_related("category"))
