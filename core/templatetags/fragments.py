"""Parts of a template that are rendered once and used again (core/caching/memory.py)."""

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django import template
from django.db.models import Model
from django.template import Context, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token
from django.template.loader import render_to_string
from django.template.loader_tags import BlockNode
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from core.caching.memory import cached_shown

register = template.Library()

# What belongs to the one who asks is out of sight while a kept part is made.
PERSONAL = {"request", "user", "perms", "messages", "has_session", "has_messages", "cart", "csrf_token"}


@register.tag
def fragment(parser: Parser, token: Token) -> Node:
    """
    Keep what stands between this and `{% endfragment %}`.

    `{% fragment %}` is the same on every page, `{% fragment by post.pk forloop.first %}` the same wherever these values are. The
    part must not show anything else, and sees nothing of the request or the person: what it shows of them it names too.
    When one of the values is not there, it is made anew each time.
    """
    _name, *words = token.split_contents()
    if words[:1] not in ([], ["by"]):
        raise TemplateSyntaxError("{% fragment %} or {% fragment by value … %}")
    nodelist = parser.parse(("endfragment",))
    parser.delete_first_token()
    if nodelist.get_nodes_by_type(BlockNode):
        raise TemplateSyntaxError("{% fragment %} cannot contain a {% block %}: every page has its own")
    return FragmentNode(nodelist, [parser.compile_filter(word) for word in words[1:]])


class FragmentNode(Node):
    child_nodelists = ()  # there is no {% block %} in it, which each page that extends a template looks for anew

    def __init__(self, nodelist: NodeList, by: list[FilterExpression]) -> None:
        self.nodelist = nodelist
        self.by = by

    def render(self, context: Context) -> SafeString:
        values = [value.resolve(context, ignore_failures=True) for value in self.by]
        if None in values:
            return self._make(context)
        return cached_shown((self, *readers_ways(), *map(exactly, values)), partial(self._make, context))

    def _make(self, context: Context) -> SafeString:
        seen: Any = {name: value for name, value in context.flatten().items() if name not in PERSONAL}
        part = context.new(seen)
        part.request = None  # type: ignore[attr-defined]
        return self.nodelist.render(part)


@register.simple_tag
def fragment_each(things: Iterable[Any], template_name: str, name: str, *, eager: bool = False) -> SafeString:
    """
    Show each thing by the template, under the name, as in `{% fragment_each page "blog/_card.html" "post" %}`.

    The template sees nothing else but `eager`: whether this is the first of a list that is in sight when the page opens.
    """

    def show(thing: Any, *, eager: bool) -> str:
        return render_to_string(template_name, {name: thing, "eager": eager})

    return shown_each(things, show, eager=eager, by=template_name)


def shown_each(things: Iterable[Any], show: Callable[..., str], *, eager: bool, by: Hashable = None) -> SafeString:
    """
    Join what `show` makes of each thing.

    A row, or a thing that says by `shown` all that may be shown of it, is shown once for as long as it looks the same.
    """
    ways, parts = (by or show, *readers_ways()), []
    for place, thing in enumerate(things):
        is_first = eager and not place
        make = partial(show, thing, eager=is_first)
        shown = thing if isinstance(thing, tuple) else getattr(thing, "shown", None)
        parts.append(cached_shown((*ways, exactly(shown), is_first), make) if shown else make())
    return mark_safe("".join(parts))  # noqa: S308 (rendered templates)


@register.filter
def all_shown(things: Iterable[Any]) -> tuple[Any, ...]:
    """Return what is shown of several, for `{% fragment by posts|all_shown %}`."""
    return tuple(thing if isinstance(thing, tuple) else thing.shown for thing in things)


def exactly(value: Any) -> Hashable:
    """
    Return a key that equals another's only if both look the same.

    Python takes 1, True and 1.0 for equal, as well as 2.5 and 2.50, a moment in two zones, "<b>" escaped and not.
    A model's object is equal to itself as it was before a change: what is shown of it has to be named.
    """
    if isinstance(value, tuple):
        # A row's columns have one type each.
        return value if hasattr(value, "_fields") else tuple(map(exactly, value))
    if isinstance(value, Model):
        raise TypeError(f"{{% fragment by %}} needs what is shown of {value!r}, not the object")
    return (type(value), str(value)) if isinstance(value, float | Decimal | datetime) else (type(value), value)


def readers_ways() -> tuple[str | None, Any]:
    """Return what every part depends on besides its values: the language and the time zone that are in force."""
    return get_language(), timezone.get_current_timezone()
