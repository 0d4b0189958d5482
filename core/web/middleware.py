"""What happens to every request before a view sees it."""

import logging
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from core.stores.breaker import Breaker
from core.stores.databases import Silent, is_away, is_silent

from .csrf import typed
from .errors import bad_request, method_not_allowed, not_taken_in, prefers_json, session_lost, speak_json, unavailable
from .logs import belonging_to, id_from, route_of

logger = logging.getLogger(__name__)
requests = logging.getLogger("config.requests")  # a line for each, with LOG_FORMAT=json

BUTTONS = {"action", "next"}
SILENCE = 2.0  # seconds for which nobody asks a database that has let somebody wait, and then one page does
NextLayer = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: NextLayer) -> NextLayer:
    """Give the request an id, taken from the proxy when it sends a sane one, for logs and for the error page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.id = id_from(request.headers.get("X-Request-ID", ""))  # type: ignore[attr-defined]
        began = time.perf_counter()
        with belonging_to(request.id):  # type: ignore[attr-defined]
            response = get_response(request)
            if requests.isEnabledFor(logging.INFO):
                tell(request, response, time.perf_counter() - began)
        response["X-Request-ID"] = request.id  # type: ignore[attr-defined]
        return response

    return middleware


def tell(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Log what was asked and how it ended, but not by whom, nor a path or query that may hold a secret."""
    fields = {
        "method": request.method,
        "view": request.resolver_match.view_name if request.resolver_match else "",
        "status": response.status_code,
        "seconds": round(seconds, 4),
    }
    route = route_of(request) if request.resolver_match else ""
    requests.info("%s %s %s", request.method, route, response.status_code, extra={"fields": fields})


def keep_what_was_typed(get_response: NextLayer) -> NextLayer:
    """Answer a form that came without a session with the form itself: on the way to the login it would be lost."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method != "POST" or not _leads_back_here(response, request):
            return response
        kept = typed(request)
        # What a button says nobody has typed: whoever presses Like is led to the login and back to the picture.
        if not any(value for name, value in kept if name not in BUTTONS):
            return response
        return session_lost(request, response["Location"], kept)

    return middleware


def _leads_back_here(response: HttpResponse, request: HttpRequest) -> bool:
    if response.status_code != 302 or "HX-Request" in request.headers or prefers_json(request):
        return False
    login = urlsplit(response["Location"])
    return login.path == reverse(settings.LOGIN_URL) and QueryDict(login.query).get("next") == request.get_full_path()


def answer_programs(get_response: NextLayer) -> NextLayer:
    """Refuse a client that asks for JSON in JSON, whoever refuses: a view, Django's own pages, those of DEBUG."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/") and not response.streaming
        if response.status_code >= 400 and is_page and prefers_json(request):
            speak_json(request, response)
        return response

    return middleware


def explain_method(get_response: NextLayer) -> NextLayer:
    """Put words to the empty answer with which Django's decorators refuse a method."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 405 and not response.streaming and not response.content:
            return method_not_allowed(request, response["Allow"])
        return response

    return middleware


def refuse_nul(get_response: NextLayer) -> NextLayer:
    """Answer 400 to a NUL in path, query or form: PostgreSQL cannot store one and would make it a 500."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or _has_nul(request.GET) or (_is_plain_form(request) and _has_nul(request.POST)):
            return bad_request(request)
        return get_response(request)

    return middleware


def refuse_body(get_response: NextLayer) -> NextLayer:
    """Answer for core/serving/intake.py, which has not taken in what was sent."""

    def middleware(request: HttpRequest) -> HttpResponse:
        refused = request.META.get("atelier.refused")
        return not_taken_in(request, refused) if refused else get_response(request)

    return middleware


def _has_nul(values: QueryDict) -> bool:
    return any("\0" in key or any("\0" in value for value in many) for key, many in values.lists())


def _is_plain_form(request: HttpRequest) -> bool:
    # Others are left to the form fields, which refuse it: reading them here would parse uploads before a view's limit.
    return request.method == "POST" and request.content_type == "application/x-www-form-urlencoded"


def answer_without_database(get_response: NextLayer) -> NextLayer:
    """
    Answer 503 instead of 500 when the database is away, whoever asked it, and let the next request connect anew.

    One that hangs is left alone for a moment: pages that wait for it would leave no thread for the others.
    """
    database = Breaker("The database", (Silent,), rest=SILENCE)

    def middleware(request: HttpRequest) -> HttpResponse:
        return database.call(partial(ask, request), None) or unavailable(request)

    def ask(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Django answers for what a middleware raises before anybody else could; `note_error` has seen what it was.
        lost = getattr(request, "lost_database", None)
        if is_silent(lost):
            raise Silent
        return unavailable(request) if lost and response.status_code != 503 else response

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not is_away(exception):
            return None
        logger.error("The database did not answer: %s", exception)
        request.lost_database = exception  # type: ignore[attr-defined]
        return unavailable(request)

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def note_error(request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Receive Django's got_request_exception, sent while the error is being handled."""
    error = sys.exception()
    if request is not None and error is not None and is_away(error):
        request.lost_database = error  # type: ignore[attr-defined]
