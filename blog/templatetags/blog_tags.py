from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Any

from django import template
from django.template.defaultfilters import truncatechars
from django.urls import get_script_prefix
from django.utils.html import format_html, linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext

from blog import paging
from core.caching.memory import cached
from core.people import Member
from core.web.links import path_to

register = template.Library()


@register.filter
def person_name(person: Member) -> str:
    return person.get_full_name() or person.get_username()


# --- What stands on every card: few tags, authors and numbers, again and again ------------------------------------------


@register.filter
def tag_links(tags: Iterable[dict[str, Any]]) -> SafeString:
    before = get_script_prefix()
    return mark_safe("".join([_tag_link(tag["slug"], tag["name"], before) for tag in tags]))  # noqa: S308 (escaped)


@lru_cache(maxsize=2000)
def _tag_link(slug: str, name: str, before: str) -> SafeString:
    return format_html('<a class="tag" rel="tag" href="{}">{}</a>', path_to("blog:post_list_by_tag", slug), name)


@register.filter
def author_link(author: Member) -> SafeString:
    return _author_link(author.get_username(), person_name(author), get_script_prefix())


@lru_cache(maxsize=500)
def _author_link(username: str, name: str, before: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', path_to("blog:post_list_by_author", username), name)


@register.filter
def minutes_to_read(minutes: int) -> str:
    return _minutes_to_read(minutes, get_language())


@lru_cache(maxsize=200)
def _minutes_to_read(minutes: int, language: str | None) -> str:
    return ngettext("%(minutes)s minute to read", "%(minutes)s minutes to read", minutes) % {"minutes": minutes}


@register.filter
def comments_in_words(number: int) -> str:
    return _comments_in_words(number, get_language())


@lru_cache(maxsize=200)
def _comments_in_words(number: int, language: str | None) -> str:
    return ngettext("%(number)s comment", "%(number)s comments", number) % {"number": number}


# --- Other texts --------------------------------------------------------------------------------------------------------


@register.filter
def shortened(text: str, length: int) -> str:
    """Cut as `truncatechars` does, which looks at each letter for marks above it, where there are none."""
    if not text.isascii():
        return str(truncatechars(text, length))
    return text if len(text) <= length else f"{text[: length - 1]}…"


@register.filter
def plain_text(text: str) -> SafeString:
    """Show what a visitor typed: escaped, in paragraphs, web addresses as links that search engines do not follow."""
    # urlize escapes what it does not link and writes rel="nofollow"; linebreaks then only adds <p> and <br>.
    return mark_safe(linebreaks(urlize(text, nofollow=True, autoescape=True)))  # noqa: S308


@register.inclusion_tag("blog/_posts_of.html")
def posts_of(person: Member, limit: int = 5) -> dict[str, Any]:
    """List a person's newest public posts; nothing when there are none."""
    return {"person": person, "posts": paging.posts_of_an_author(person.pk).first_rows(0, limit)}


@register.inclusion_tag("blog/_posts_about.html")
def posts_about(product: Any, limit: int = 5) -> dict[str, Any]:
    """List the newest public posts that link to the product (or to anything with a page of its own)."""
    path = product.get_absolute_url()
    find = partial(paging.posts_about(path).first_rows, 0, limit)
    return {"posts": cached(("posts about", path, limit), find)}
