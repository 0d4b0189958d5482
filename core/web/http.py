"""What a request is once the middleware has run, and who looks."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from core.people import Viewer


class SiteRequest(HttpRequest):
    """A request from anybody."""

    htmx: HtmxDetails


def viewer(request: HttpRequest) -> Viewer:
    """Return who looks, without reading the session of a visitor who has none: the page stays the same for all."""
    return request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else AnonymousUser()
