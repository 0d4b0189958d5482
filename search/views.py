from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from core.caching.pages import may_lag
from core.people import Member, Viewer
from core.web.http import viewer
from core.web.ratelimit import client_address, hit, too_many

from . import engines, query
from .registry import registrations

KINDS = {"post": _("Posts"), "product": _("Products"), "image": _("Pictures"), "person": _("People")}
PER_PAGE = 20
MOST_EMPTY_PAGES = 5
PER_MINUTE = "30/min"
KEYS_PER_MINUTE = "150/min"  # a search for each pause between two keys


@require_safe
@may_lag
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
    context = _found(request, text, is_typing=is_typing)
    response = render(request, "search/_results.html" if is_typing else "search/search.html", context)
    patch_vary_headers(response, ["HX-Trigger-Name"])
    return response


def _found(request: HttpRequest, text: str, *, is_typing: bool) -> dict[str, Any]:
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    asked = query.parse(text, is_typing=is_typing)
    return {
        "query": asked.text,
        "kind": kind,
        "kinds": KINDS,
        "found": _shown_to(viewer(request), asked, kind, request.GET.get("after")),
        "is_typing": is_typing,
        "max_characters": query.MAX_CHARACTERS,
    }


def _shown_to(reader: Viewer, asked: query.Query, kind: str, after: str | None) -> engines.SearchPage:
    """Return the first of the next pages on which something is left after taking out what this reader is not shown."""
    for _page in range(MOST_EMPTY_PAGES):
        found = engines.search(asked, kind=kind, limit=PER_PAGE, after=after)
        if not found.hits or not reader.is_authenticated:
            break
        found = _without_withheld(found, reader)
        if found.hits or not found.next:
            break
        after = found.next
    return found


def _without_withheld(found: engines.SearchPage, reader: Member) -> engines.SearchPage:
    """Leave out what a member is not shown, such as people they have blocked; the page is a hit or two shorter."""
    ids: dict[str, list[int]] = {}
    for found_one in found.hits:
        ids.setdefault(found_one.kind, []).append(found_one.object_id)
    known = [each for each in registrations() if each.kind in ids]
    withheld = {each.kind: each.withheld(reader, ids[each.kind]) for each in known}
    hits = [each for each in found.hits if each.object_id not in withheld.get(each.kind, ())]
    left_out = 0 if found.total_capped else len(found.hits) - len(hits)
    return found._replace(hits=hits, total=found.total - left_out)
