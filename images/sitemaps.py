from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from core.web.links import path_to
from core.web.sitemaps import RowsSitemap

from .models import Image, ImageQuerySet


class ImageSitemap(RowsSitemap):
    columns = ("pk", "slug")
    changed = "created_at"

    def items(self) -> ImageQuerySet:
        return Image.objects.public()

    def path(self, pk: int, slug: str) -> str:
        return path_to("images:image_detail", pk, slug)


class PinboardSitemap(Sitemap):
    def items(self) -> list[str]:
        return [reverse("images:image_list"), reverse("images:image_ranking")]

    def location(self, path: str) -> str:
        return path
