"""Says who asks; holds back who has a second factor and has not given it, whichever way they logged in; ends old sessions."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from .backends import known
from .second_factor import is_passed
from .sessions import is_worn_out

OPEN = {"account:second_factor", "logout", "healthz", "readyz"}
OPEN_FOR_SET_UP = {*OPEN, "account:second_factor_setup"}


class MemberMiddleware(AuthenticationMiddleware):
    """Django's, but that the member is not asked for when they have come with the row of their session."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(partial(_who, request))  # type: ignore[assignment]


def _who(request: HttpRequest) -> Any:
    request.session.get(SESSION_KEY)  # reads the row
    with known(getattr(request.session, "member", None)):
        return get_user(request)


class _BeforeTheirPage:
    """What stands between somebody who is logged in and any page of theirs: `instead_of` may answer in its place."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        # Without the cookie there is no session to read, and the page stays the same for all.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return None
        return self.instead_of(request)

    def instead_of(self, request: HttpRequest) -> HttpResponse | None:
        raise NotImplementedError


class SecondFactorMiddleware(_BeforeTheirPage):
    def instead_of(self, request: HttpRequest) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if request.user.has_second_factor and name not in OPEN and not is_passed(request):  # type: ignore[union-attr]
            return _lead_to("account:second_factor", request)
        if _has_to_set_up(request) and name not in OPEN_FOR_SET_UP:
            return _lead_to("account:second_factor_setup", request)
        return None


class SessionAgeMiddleware(_BeforeTheirPage):
    """Log out whose session has been idle, or open, for too long, and lead them back where they were."""

    def instead_of(self, request: HttpRequest) -> HttpResponse | None:
        if not is_worn_out(request):
            return None
        logout(request)
        messages.info(request, _("You were logged out because your session was idle or old. Please log in again."))
        return _lead_to(settings.LOGIN_URL, request)


def _has_to_set_up(request: HttpRequest) -> bool:
    user = request.user
    return bool(settings.STAFF_SECOND_FACTOR and user.is_staff and not user.has_second_factor)


def _lead_to(name: str, request: HttpRequest) -> HttpResponse:
    response = redirect(name)
    if request.method == "GET":
        response["Location"] += "?" + urlencode({"next": request.get_full_path()})
    return response
