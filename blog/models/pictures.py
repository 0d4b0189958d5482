"""The pictures of a post, on its cover and in its text, which leave their address when the post is no longer public."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.files.storage import default_storage
from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Replace

from content.pictures import EXTENSIONS, hide, stem

if TYPE_CHECKING:
    from .posts import Post

FOLDER = "posts"
NAMED = re.compile(rf"\b{FOLDER}/[0-9a-f]{{2}}/[0-9a-f]{{32}}")


def hide_pictures(post: "Post") -> None:
    """
    Give the post's pictures new names, in all texts that show them, since whoever read it knows the old ones.

    A picture in its text stays if another public post shows it, or has it as its cover. The caller stores the post.
    """
    moved = {old: _hide(old) for old in _of_no_other(post)}
    cover = post.cover.name or ""
    if NAMED.match(cover):  # not one that is only being uploaded
        post.cover = hide(cover)
        moved[stem(cover)] = stem(post.cover.name or "")
    if moved:
        _rename(post, moved)


def _of_no_other(post: "Post") -> set[str]:
    named = set(NAMED.findall(post.body)) - {stem(post.cover.name or "")}
    others = type(post).objects.exclude(pk=post.pk)
    if named:
        for body in others.published().filter(_any("body__contains", named)).values_list("body", flat=True):
            named.difference_update(NAMED.findall(body))
    if named:
        covers = others.filter(_any("cover__startswith", named)).values_list("cover", flat=True)
        named.difference_update(map(stem, covers))
    return named


def _hide(old: str) -> str:
    names = (f"{old}.{extension}" for extension in EXTENSIONS.values())
    return next((stem(hide(name)) for name in names if default_storage.exists(name)), old)


def _rename(post: "Post", moved: dict[str, str]) -> None:
    for old, new in moved.items():
        post.body, post.body_html = post.body.replace(old, new), post.body_html.replace(old, new)
    named = _any("body__contains", moved)
    others = type(post).objects.exclude(pk=post.pk).filter(named)
    ids = [post.pk, *others.values_list("pk", flat=True)]
    post.revisions.model.objects.filter(named, post__in=ids).update(body=_renamed("body", moved))
    # Whoever is writing in one of them is told so before they save the old names.
    others.update(body=_renamed("body", moved), body_html=_renamed("body_html", moved), version=F("version") + 1)


def _any(condition: str, values: Iterable[str]) -> Q:
    return Q(*((condition, value) for value in values), _connector=Q.OR)


def _renamed(field: str, moved: dict[str, str]) -> Combinable:
    text: Combinable = F(field)
    for old, new in moved.items():
        text = Replace(text, Value(old), Value(new))
    return text
