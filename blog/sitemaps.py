from datetime import datetime
from typing import Any

from django.contrib.sitemaps import Sitemap
from django.urls import reverse

from core.web.sitemaps import RowsSitemap

from .models import Post, Tag


class PostSitemap(RowsSitemap):
    def items(self) -> Any:
        return Post.objects.published().only("publish_on", "slug", "updated_at").order_by("pk")

    def lastmod(self, post: Post) -> datetime:
        return post.updated_at


class TagSitemap(RowsSitemap):
    def items(self) -> Any:
        return Tag.objects.filter(post_count__gt=0).only("slug").order_by("pk")


class BlogSitemap(Sitemap):
    """Pages of the blog that are no single row."""

    def items(self) -> list[str]:
        return ["blog:post_list"]

    def location(self, name: str) -> str:
        return reverse(name)
