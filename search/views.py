from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from config.ratelimit import client_address, hit, too_many

from . import engines, query

KINDS = {"post": _("Posts"), "product": _("Products"), "image": _("Images"), "person": _("People")}
PER_PAGE = 20
PER_MINUTE = "30/min"
KEYS_PER_MINUTE = "150/min"  # a search for each pause between two keys


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """
    One box over everything; while a person types, only the results.

    Counted by address, never by session, so that the page stays the same for everybody.
    """
    is_typing = request.headers.get("HX-Trigger-Name") == "q"
    rate, scope = (KEYS_PER_MINUTE, "search-typing") if is_typing else (PER_MINUTE, "search")
    text = request.GET.get("q", "")
    if text.strip() and not hit(scope, client_address(request), rate):
        return too_many(request, 60)
    context = _found(text, request.GET.get("kind", ""), request.GET.get("after"), is_typing=is_typing)
    response = render(request, "search/_results.html" if is_typing else "search/search.html", context)
    patch_vary_headers(response, ["HX-Trigger-Name"])
    return response


def _found(text: str, kind: str, after: str | None, *, is_typing: bool) -> dict[str, Any]:
    kind = kind if kind in KINDS else ""
    asked = query.parse(text, is_typing=is_typing)
    found = engines.search(asked, kinds=[kind] if kind else [], limit=PER_PAGE, after=after)
    return {
        "query": asked.text,
        "kind": kind,
        "kinds": KINDS,
        "found": found,
        "is_typing": is_typing,
        "max_characters": query.MAX_CHARACTERS,
    }
