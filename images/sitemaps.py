from typing import Any

from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from .models import Image

# The protocol allows 50,000; smaller files are made in less memory and time.
ADDRESSES_IN_A_FILE = 5000


class ImageSitemap(Sitemap):
    limit = ADDRESSES_IN_A_FILE

    def items(self) -> Any:
        return Image.objects.public().only("slug", "created_at").order_by("pk")

    def lastmod(self, image: Image) -> Any:
        return image.created_at


class PinboardSitemap(Sitemap):
    def items(self) -> list[str]:
        return [reverse("images:image_list"), reverse("images:image_ranking")]

    def location(self, path: str) -> str:
        return path
