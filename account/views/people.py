"""Other people: the list, a profile, following, muting, blocking."""

from functools import cache

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from account import faces
from account.models import User
from account.models.people import UserQuerySet
from account.requests import MemberRequest
from core.caching.pages import for_everyone
from core.caching.paging import Listing, ListPaginator, LongList, StatementListing
from core.people import Viewer
from core.web.http import viewer
from core.web.ratelimit import limited

PEOPLE_PER_PAGE = 24
NEWEST_FIRST = ["-id", "-pk"]
PEOPLE = "SELECT id FROM account_user WHERE is_active"
DONE = {
    "mute": _l("You see nothing of %(name)s any more, except where you go to look. They are not told."),
    "block": _l("You and %(name)s see nothing of each other any more."),
    "lift": _l("You see %(name)s again."),
}


@require_safe
@for_everyone("page")
def user_list(request: HttpRequest) -> HttpResponse:
    people = _people(viewer(request))
    page = ListPaginator(people, people.count(), PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "account/user_list.html", {"page": page})


def _people(reader: Viewer) -> LongList:
    hidden = frozenset(reader.hidden_ids() if reader.is_authenticated else ())
    if not hidden:
        return StatementListing("people", User.objects.people, NEWEST_FIRST, PEOPLE, ("id", "id"), faces.some)
    rows = User.objects.shown_to(reader)
    return Listing(("people", hidden), rows, NEWEST_FIRST, lambda people: people.order_by("-pk").faces())


def _person(request: HttpRequest, username: str) -> User:
    reader = viewer(request)
    people = User.objects.visible_to(reader).profiles() if reader.is_authenticated else _for_strangers()
    person: User = get_object_or_404(people, username=username)
    return person


@cache
def _for_strangers() -> UserQuerySet:
    """Return what strangers ask for, each with another name: to put it together takes as long as to ask."""
    people: UserQuerySet = User.objects.people().profiles()
    return people


@require_safe
@for_everyone()
def user_detail(request: HttpRequest, username: str) -> HttpResponse:
    person = _person(request, username)
    return render(request, "account/user_detail.html", _between(viewer(request), person))


def _between(reader: Viewer, person: User) -> dict[str, object]:
    """Return what the page says of the two: whether one follows, mutes or blocks the other."""
    if not isinstance(reader, User) or reader == person:
        return {"person": person, "is_following": False, "mute_or_block": ""}
    return {
        "person": person,
        "is_following": reader.is_following(person),
        "mute_or_block": reader.mute_or_block_of(person),
    }


@require_POST
@login_required
@limited("60/min")
def user_follow(request: MemberRequest, username: str) -> HttpResponse:
    person, action = _person(request, username), request.POST.get("action")
    if action not in ("follow", "unfollow") or person == request.user:
        return HttpResponseBadRequest(_("Follow or unfollow somebody else."))
    if action == "unfollow":
        request.user.unfollow(person)
    else:
        request.user.follow(person)
    if not request.htmx:
        return redirect(person)
    return render(request, "account/_follow.html", _between(request.user, _person(request, username)))


@never_cache
@require_safe
@login_required
def mute_and_block_list(request: MemberRequest) -> HttpResponse:
    """Show whom one has muted or blocked: lists and search do not show them any more, so this is the way back."""
    mutes_and_blocks = request.user.mutes_and_blocks.filter(other__is_active=True).select_related("other")
    return render(request, "account/mute_and_block_list.html", {"mutes_and_blocks": mutes_and_blocks})


@require_POST
@login_required
@limited("60/min")
def user_mute_or_block(request: MemberRequest, username: str) -> HttpResponse:
    """Mute or block the person, or lift it again."""
    person, action = _person(request, username), request.POST.get("action")
    if action not in ("mute", "block", "lift") or person == request.user:
        return HttpResponseBadRequest(_("Mute or block somebody else."))
    if action == "lift":
        request.user.lift_mute_or_block(person)
    else:
        request.user.mute_or_block(person, action)
    messages.success(request, DONE[action] % {"name": person.display_name})
    return redirect("account:mute_and_block_list" if request.POST.get("back") == "list" else person)
