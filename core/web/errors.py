"""Error answers: a page for people, JSON for clients that ask for JSON."""

from contextlib import suppress

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

MAX_KEPT_FIELDS = 200
# What programs read, in JSON; what people read stands in templates/<status>.html.
TEXTS_FOR_PROGRAMS = {
    400: _l("This request could not be understood."),
    403: _l("You may not do this."),
    404: _l("There is nothing at this address."),
    405: _l("This address is for something else."),
    410: _l("There is nothing at this address any more."),
    413: _l("This is more than may be sent here."),
    422: _l("Something in what was sent is missing or not as it should be."),
    429: _l("That was too often. Try again later."),
    500: _l("Something went wrong on our side."),
    503: _l("The site cannot answer at the moment. Try again later."),
}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    response = answer(request, 405, _("This address does not take %(method)s.") % {"method": request.method})
    response["Allow"] = allowed
    return response


def session_lost(request: HttpRequest, login: str, kept: list[tuple[str, str]]) -> HttpResponse:
    """Give a form back whose sender has been logged out meanwhile; files cannot be given back."""
    context = {"login": login, "kept": kept, "had_files": bool(request.FILES)}
    return render(request, "session_lost.html", context, status=403)


def not_taken_in(request: HttpRequest, status: int) -> HttpResponse:
    """Say why a body was refused (core/serving/intake.py). The connection ends, for the rest of the body may still be on it."""
    texts = {
        400: _("This request broke off."),
        408: _("This took too long to arrive."),
        413: str(TEXTS_FOR_PROGRAMS[413]),
        429: _("Too much is being sent at once."),
    }
    response = answer(request, status, texts[status])
    response["Connection"] = "close"
    return response


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Say that the database is away, and offer to send again what was typed."""
    response = answer(request, 503, _("The site cannot reach its database at the moment."), kept=typed(request))
    response["Retry-After"] = "5"
    response["Cache-Control"] = "no-store"
    return response


def typed(request: HttpRequest, *, but_files: bool = False) -> list[tuple[str, str]]:
    """
    Return the fields of a form that can be sent again as they are: nothing that a page should not hold, and nothing
    beside a file, which would be lost on the way, unless the page says so (`but_files`).
    """
    if request.method != "POST":
        return []
    with suppress(Exception):  # the body could not be read to its end
        fields = [(name, value) for name, values in request.POST.lists() for value in values]
        is_secret = any("password" in name or name in ("code", "token") for name, _value in fields)
        is_torn = bool(request.FILES) and not but_files
        return [] if is_secret or is_torn or len(fields) > MAX_KEPT_FIELDS else fields
    return []


def answer(request: HttpRequest, status: int, message: str = "", **more: object) -> HttpResponse:
    """Render `<status>.html`; `message` is for a client that prefers JSON."""
    if prefers_json(request):
        return JsonResponse(_in_json(request, status, message or str(TEXTS_FOR_PROGRAMS[status])), status=status)
    context = {"request_id": _id(request), "site_name": settings.SITE_NAME, "picture_mb": settings.PICTURE_MB, **more}
    # The error pages must not need what may be broken: no database, no session, no context processors.
    return render(None if status >= 500 else request, f"{status}.html", context, status=status)


def speak_json(request: HttpRequest, response: HttpResponse) -> None:
    """Give a refusal that was written for people to a program, with its status, headers and cookies."""
    message = str(TEXTS_FOR_PROGRAMS.get(response.status_code, response.reason_phrase))
    response.content = JsonResponse(_in_json(request, response.status_code, message)).content
    response["Content-Type"] = "application/json"
    if "Content-Length" in response:
        response["Content-Length"] = str(len(response.content))
    patch_vary_headers(response, ["Accept"])


def _in_json(request: HttpRequest, status: int, message: str) -> dict[str, object]:
    return {"error": message, "status": status, "request_id": _id(request)}


def _id(request: HttpRequest) -> str:
    return getattr(request, "id", "-")


def prefers_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
