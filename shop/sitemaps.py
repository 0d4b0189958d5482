from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from core.web.links import path_to
from core.web.sitemaps import RowsSitemap

from .models import Category, Product, ProductQuerySet


class ProductSitemap(RowsSitemap):
    columns = ("pk", "slug")
    changed = "updated_at"

    def items(self) -> ProductQuerySet:
        return Product.objects.on_show()

    def path(self, pk: int, slug: str) -> str:
        return path_to("shop:product_detail", pk, slug)


class ShopSitemap(Sitemap):
    """The list of everything and the list of each category that has something."""

    def items(self) -> list[str]:
        filled = Category.objects.filter(shown_count__gt=0)
        return [reverse("shop:product_list"), *(category.get_absolute_url() for category in filled)]

    def location(self, path: str) -> str:
        return path
