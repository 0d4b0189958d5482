from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from blog.models import Post
from blog.models.posts import CARD_FIELDS
from blog.sidebar import Sidebar
from mail.links import site_url

register = template.Library()

MOST_KEPT = 2000
_kept: dict[tuple[Any, ...], SafeString] = {}


@register.filter
def person_name(person: Any) -> str:
    return person.get_full_name() or person.get_username()


@register.filter
def plain_text(text: str) -> SafeString:
    """Show what a visitor typed: escaped, in paragraphs, web addresses as links that search engines do not follow."""
    # urlize escapes what it does not link and writes rel="nofollow"; linebreaks then only adds <p> and <br>.
    return mark_safe(linebreaks(urlize(text, nofollow=True, autoescape=True)))  # noqa: S308


@register.filter
def full_address(path: str) -> str:
    return path if "://" in path else site_url(path)


# A card or a sidebar is a pure function of what it shows, so it is made once for each such set of values and never
# has to be thrown away for being old; only the language and time zone of the reader come on top.


@register.simple_tag
def post_card(post: Post) -> SafeString:
    """Show a post in a list."""
    shown = tuple(getattr(post, name) for name in CARD_FIELDS if not name.startswith(("author", "tag_list", "cover")))
    labels = tuple((tag["name"], tag["slug"]) for tag in post.tag_list)
    cover = (post.cover.name, post.cover_width, post.cover_height)
    key = (post.pk, *shown, labels, cover, post.author.username, person_name(post.author))
    return kept("blog/_card.html", key, post=post)


@register.simple_tag
def blog_sidebar(sidebar: Sidebar) -> SafeString:
    """Show the boxes beside a list."""
    posts = (tuple(sidebar.latest), tuple(sidebar.most_commented), tuple(sidebar.most_read))
    return kept("blog/_sidebar.html", (sidebar.total, tuple(sidebar.tags), *posts), sidebar=sidebar)


def kept(template_name: str, shown: tuple[Any, ...], **context: Any) -> SafeString:
    """Render the template, or return what was made of the same values before."""
    key = (template_name, get_language(), timezone.get_current_timezone_name(), *shown)
    html = _kept.get(key)
    if html is None:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        html = _kept[key] = render_to_string(template_name, context)
    return html


@register.inclusion_tag("blog/_posts_of.html")
def posts_of(person: Any, limit: int = 5) -> dict[str, Any]:
    """List a person's newest public posts; nothing when there are none."""
    return {"person": person, "posts": Post.objects.published().by(person.pk).newest_first().cards()[:limit]}


@register.inclusion_tag("blog/_posts_about.html")
def posts_about(product: Any, limit: int = 5) -> dict[str, Any]:
    """List the newest public posts that link to the product (or to anything with a page of its own)."""
    posts = Post.objects.published().mentioning(product.get_absolute_url())
    return {"posts": posts.newest_first().cards()[:limit]}
