from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse

from core.web.sitemaps import RowsSitemap

from .models import Category, Product


class ProductSitemap(RowsSitemap):
    def items(self) -> Any:
        return Product.objects.on_show().only("slug", "updated_at").order_by("pk")

    def lastmod(self, product: Product) -> datetime:
        return product.updated_at


class ShopSitemap(RowsSitemap):
    """The list of everything and the list of each category that has something."""

    def items(self) -> list[str]:
        # One look into the index for each category; a join would read every product.
        filled = Category.objects.filter(Exists(Product.objects.on_show().filter(category=OuterRef("pk"))))
        return [reverse("shop:product_list"), *(category.get_absolute_url() for category in filled)]

    def location(self, path: str) -> str:
        return path
