"""Who looked at what: one page view is one visitor at one thing on one day."""

import re
from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from core.web.ratelimit import client_address

from . import counted_in_redis
from .models import View

PROGRAMS = re.compile(
    r"bot|crawl|spider|slurp|preview|monitor|scan|fetch|feed|curl|wget|python|java|ruby|perl|php|go-http|okhttp|axios|"
    r"headless|lighthouse|facebookexternalhit|whatsapp|archive",
    re.IGNORECASE,
)


def view_of(request: HttpRequest, kind: str, target_id: int) -> View:
    """Return the page view that this request is, not yet counted."""
    day = today()
    return View(target_kind=kind, target_id=target_id, visitor=visitor(request, day), seen_on=day)


def count(views: Sequence[View]) -> None:
    """Count the views of those who have not been counted for that thing today."""
    if settings.REDIS_URL:
        for each in views:
            counted_in_redis.count(each.target_kind, each.target_id, each.visitor, each.seen_on)
    else:
        View.objects.bulk_create(views, ignore_conflicts=True)


def is_by_person(request: HttpRequest) -> bool:
    """Return whether a person is looking: not a program, and not a browser that fetches ahead."""
    headers = request.headers
    purpose = f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')} {headers.get('X-Moz', '')}".lower()
    agent = headers.get("User-Agent", "")
    is_ahead = "prefetch" in purpose or "prerender" in purpose or "preview" in purpose
    return request.method == "GET" and not is_ahead and bool(agent) and not PROGRAMS.search(agent)


def visitor(request: HttpRequest, day: date) -> str:
    """Return who looks, as a hash that is another one tomorrow: no address is kept."""
    who = f"{client_address(request)} {request.headers.get('User-Agent', '')}"
    if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
        who = f"member {request.user.pk}"
    return salted_hmac(f"actions.popularity {day}", who, algorithm="sha256").hexdigest()[:32]


def today() -> date:
    return timezone.localdate()
