"""Atom feeds with the whole text, at the site's configured address whatever host was asked."""

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from content.markdown import CONTROL
from core.caching.pages import for_everyone
from core.web.links import site_url

from .models import Post, PostQuerySet, PostTag, Tag, TagAlias

POSTS_IN_A_FEED = 20
OWN_ADDRESS = re.compile(r'\b(href|src)="(?=[/#])')


class FullTextFeed(Atom1Feed):
    """Django's Atom feed with the body as <content> beside the summary."""

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        handler.addQuickElement("content", item["content"], {"type": "html"})


@for_everyone()
@require_safe
def post_feed(request: HttpRequest) -> HttpResponse:
    title = _("%(site)s: the blog") % {"site": settings.SITE_NAME}
    return _feed(title, reverse("blog:post_list"), reverse("blog:post_feed"), Post.objects.newest_first())


@for_everyone()
@require_safe
def tag_feed(request: HttpRequest, slug: str) -> HttpResponse:
    tag = Tag.objects.filter(slug=slug).first()
    if tag is None or not PostTag.objects.newest(tag.pk).exists():
        alias = get_object_or_404(TagAlias.objects.select_related("tag"), slug=slug)
        return redirect("blog:tag_feed", slug=alias.tag.slug, permanent=True)
    title = _("%(site)s: posts about %(tag)s") % {"site": settings.SITE_NAME, "tag": CONTROL.sub("", tag.name)}
    newest = PostTag.objects.newest(tag.pk).values("content_object_id")[:POSTS_IN_A_FEED]
    posts = Post.objects.filter(pk__in=newest).newest_first()
    return _feed(title, tag.get_absolute_url(), reverse("blog:tag_feed", args=[slug]), posts)


def _feed(title: str, path: str, feed_path: str, posts: PostQuerySet) -> HttpResponse:
    feed = FullTextFeed(
        title=title, link=site_url(path), feed_url=site_url(feed_path), description="", language=settings.LANGUAGE_CODE
    )
    for post in posts.published().select_related("author").defer("body")[:POSTS_IN_A_FEED]:
        address = site_url(post.get_absolute_url())
        feed.add_item(
            title=CONTROL.sub("", post.title),
            link=address,
            description=escape(CONTROL.sub("", post.summary)),
            content=_absolute(post.body_html, address),
            pubdate=post.publish_at,
            updateddate=max(post.updated_at, post.publish_at),
            author_name=CONTROL.sub("", post.author.get_full_name()) or post.author.get_username(),
            categories=[CONTROL.sub("", tag["name"]) for tag in post.tag_list],
            unique_id=address,
        )
    return HttpResponse(feed.writeString("utf-8"), content_type=feed.content_type)


def _absolute(body_html: str, address: str) -> str:
    """Spell out our own addresses: a feed reader does not know where the text came from."""
    return OWN_ADDRESS.sub(
        lambda match: f'{match[1]}="{address if match.string[match.end()] == "#" else settings.SITE_URL}', body_html
    )
