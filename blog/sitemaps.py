from datetime import date
from typing import Any

from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from core.web.links import path_to
from core.web.sitemaps import RowsSitemap

from .models import Post, Tag


class PostSitemap(RowsSitemap):
    columns = ("publish_on", "slug")
    changed = "updated_at"

    def items(self) -> Any:
        return Post.objects.published()

    def path(self, on: date, slug: str) -> str:
        return path_to("blog:post_detail", on.year, on.month, on.day, slug)


class TagSitemap(RowsSitemap):
    columns = ("slug",)

    def items(self) -> Any:
        return Tag.objects.filter(post_count__gt=0)

    def path(self, slug: str) -> str:
        return path_to("blog:post_list_by_tag", slug)


class BlogSitemap(Sitemap):
    """Pages of the blog that are no single row."""

    def items(self) -> list[str]:
        return ["blog:post_list"]

    def location(self, name: str) -> str:
        return reverse(name)
