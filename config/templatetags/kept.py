"""Parts of a template that are rendered once and used again (config/kept.py)."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django import template
from django.template import Context, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token
from django.template.loader import render_to_string
from django.template.loader_tags import BlockNode
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from config.freshness import tables_of
from config.kept import keep

register = template.Library()

# What belongs to the one who asks is out of sight while a kept part is made.
PERSONAL = {"request", "user", "perms", "messages", "has_session", "has_messages", "cart"}
PERSONAL |= {"csrf_token", "csp_nonce", "CSP_NONCE"}


@register.tag
def kept(parser: Parser, token: Token) -> Node:
    """
    Keep what stands between this and `{% endkept %}`.

    `{% kept %}` is the same on every page, `{% kept by post.pk forloop.first %}` the same wherever these values are,
    and `{% kept by page.number from "blog" "account.User" %}` only until one of these apps or models has changed.
    The part must not need anything else, and sees nothing of the request or the person: what it shows of them it names
    behind `by`.
    """
    _name, *words = token.split_contents()
    by, made_from = _sorted_out(words)
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    if nodelist.get_nodes_by_type(BlockNode):
        raise TemplateSyntaxError("{% kept %} cannot contain a {% block %}: every page has its own")
    return KeptNode(nodelist, [parser.compile_filter(word) for word in by], made_from)


def _sorted_out(words: list[str]) -> tuple[list[str], list[str]]:
    """Return what stands behind "by" and the names behind "from"."""
    split = words.index("from") if "from" in words else len(words)
    by, made_from = words[:split], [word.strip("\"'") for word in words[split + 1 :]]
    if (by and by[0] != "by") or (split < len(words) and not made_from):
        raise TemplateSyntaxError('{% kept [by value …] [from "app" "app.Model" …] %}')
    return by[1:], made_from


class KeptNode(Node):
    def __init__(self, nodelist: NodeList, by: list[FilterExpression], made_from: list[str]) -> None:
        self.nodelist = nodelist
        self.by = by
        self.made_from = made_from

    def render(self, context: Context) -> SafeString:
        key = (self, *readers_ways(), *[value.resolve(context) for value in self.by])
        return keep(key, tables_of(*self.made_from), partial(self._make, context))

    def _make(self, context: Context) -> SafeString:
        seen: Any = {name: value for name, value in context.flatten().items() if name not in PERSONAL}
        part = context.new(seen)
        part.request = None  # type: ignore[attr-defined]
        return self.nodelist.render(part)


@register.simple_tag
def kept_each(things: Iterable[Any], template_name: str, name: str) -> SafeString:
    """
    Show each thing by the template, under the name, as in `{% kept_each page "blog/_card.html" "post" %}`.

    The template sees nothing else but `is_first`. A thing's `shown` is all that the template may show of it: rows of
    config/keptsql.py have it.
    """
    ways = readers_ways()
    parts = [
        keep(
            (template_name, *ways, thing.shown, not place),
            (),
            partial(_one, template_name, name, thing, is_first=not place),
        )
        for place, thing in enumerate(things)
    ]
    return mark_safe("".join(parts))  # noqa: S308 (rendered templates)


def _one(template_name: str, name: str, thing: Any, *, is_first: bool) -> str:
    return render_to_string(template_name, {name: thing, "is_first": is_first})


def readers_ways() -> tuple[str | None, str]:
    """Return what every part depends on besides its values: the language and the time zone that are in force."""
    return get_language(), timezone.get_current_timezone_name()
