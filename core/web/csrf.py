"""
Cross-site request forgery, refused by what the browser says about the request instead of by a cookie.

A page for a visitor without a session can then hold a working form and still be the same bytes for everybody. The
algorithm is the one of Go's net/http CrossOriginProtection; OWASP's CSRF cheat sheet lists Fetch Metadata as an
alternative to tokens. A browser too old to say anything gets Django's token by way of `failure`.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.shortcuts import render

MAX_KEPT_FIELDS = 200


def came_from_us(request: HttpRequest) -> bool | None:
    """Return whether the browser vouches for the request's origin; None when it says nothing either way."""
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if not origin:
        return None
    # The scheme counts: what a network in between puts into the plain page of our name is not ours.
    return origin in (settings.SITE_URL, f"{request.scheme}://{request.get_host()}")


class SameOriginCsrfMiddleware(CsrfViewMiddleware):
    """
    Accept what came from our own pages, refuse what came from others, ask for Django's token when unsure.

    By private parts of Django (tests/test_private_django.py): `_accept` and `_reject` are what its own verdict calls.
    """

    def process_view(self, request, callback, callback_args, callback_kwargs):  # type: ignore[no-untyped-def]
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") or getattr(callback, "csrf_exempt", False):
            return super().process_view(request, callback, callback_args, callback_kwargs)
        verdict = came_from_us(request)
        if verdict is False:
            return self._reject(request, "The request was sent by another site.")  # type: ignore[attr-defined]
        if verdict is True:
            # Django's login view and admin run a second CSRF check of their own unless the request is marked as done.
            return self._accept(request)  # type: ignore[attr-defined]
        return super().process_view(request, callback, callback_args, callback_kwargs)


def typed(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what stands in the form, to be put into another that sends it again."""
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    return [field for field in fields if field[0] != "csrfmiddlewaretoken"][:MAX_KEPT_FIELDS]


def failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Explain a refusal; a browser that merely sent no proof gets its own form back with a token in it."""
    can_confirm = came_from_us(request) is None and not request.FILES
    kept = []
    if can_confirm:
        get_token(request)
        kept = typed(request)
    context = {"can_confirm": can_confirm, "kept": kept}
    return render(request, "403_csrf.html", context, status=403)
