from typing import Any

from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from core.web.sitemaps import RowsSitemap

from .models import Image


class ImageSitemap(RowsSitemap):
    def items(self) -> Any:
        return Image.objects.public().only("slug", "created_at").order_by("pk")

    def lastmod(self, image: Image) -> Any:
        return image.created_at


class PinboardSitemap(Sitemap):
    def items(self) -> list[str]:
        return [reverse("images:image_list"), reverse("images:image_ranking")]

    def location(self, path: str) -> str:
        return path
