"""What a request is once the middleware has run, and who looks."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from account.models import User


class SiteRequest(HttpRequest):
    """A request from anybody."""

    htmx: HtmxDetails


class MemberRequest(SiteRequest):
    """A request behind @login_required."""

    user: "User"


def viewer(request: HttpRequest) -> "User | AnonymousUser":
    """Return who looks, without reading the session of a visitor who has none: the page stays the same for all."""
    return request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else AnonymousUser()
