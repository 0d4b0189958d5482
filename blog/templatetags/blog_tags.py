from typing import Any

from django import template
from django.utils.html import linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe

from blog.models import Post
from core.caching.memory import cached
from core.people import Member

register = template.Library()


@register.filter
def person_name(person: Member) -> str:
    return person.get_full_name() or person.get_username()


@register.filter
def plain_text(text: str) -> SafeString:
    """Show what a visitor typed: escaped, in paragraphs, web addresses as links that search engines do not follow."""
    # urlize escapes what it does not link and writes rel="nofollow"; linebreaks then only adds <p> and <br>.
    return mark_safe(linebreaks(urlize(text, nofollow=True, autoescape=True)))  # noqa: S308


@register.inclusion_tag("blog/_posts_of.html")
def posts_of(person: Member, limit: int = 5) -> dict[str, Any]:
    """List a person's newest public posts; nothing when there are none."""
    return {"person": person, "posts": Post.objects.published().by(person.pk).newest_first().cards()[:limit]}


@register.inclusion_tag("blog/_posts_about.html")
def posts_about(product: Any, limit: int = 5) -> dict[str, Any]:
    """List the newest public posts that link to the product (or to anything with a page of its own)."""
    path = product.get_absolute_url()

    def read() -> list[Post]:
        return list(Post.objects.published().mentioning(path).newest_first().cards()[:limit])

    return {"posts": cached(("posts about", path, limit), read)}
