"""What browsers and proxies are told beside the page: who may keep it, who may embed it, what it may use."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Features that no page of ours uses, so that nothing injected into one could.
PERMISSIONS = ", ".join(
    f"{feature}=()" for feature in ("browsing-topics", "camera", "geolocation", "microphone", "payment", "usb")
)
POLICY = "Content-Security-Policy"


def policy(**more: str) -> str:
    """Return what a page may load, from where; `img_src="https:"` allows one page more."""
    also = {name.replace("_", "-"): origins for name, origins in more.items()}
    directives = settings.CONTENT_SECURITY_POLICY.items()
    return "; ".join(" ".join([name, *origins, *also.get(name, "").split()]) for name, origins in directives)


def allow_only_ours(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Send the policy with every answer that has none of its own, but Django's pages about an error, with DEBUG."""
    usual = policy()

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not (settings.DEBUG and response.status_code in (404, 500)):
            response.headers.setdefault(POLICY, usual)
        return response

    return middleware


def tell_browsers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if not response.get("Content-Type", "").startswith("image/"):  # a feed's reader may show our pictures
            response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if settings.SESSION_COOKIE_NAME in request.COOKIES or settings.SESSION_COOKIE_NAME in response.cookies:
            # `Vary: Cookie` keeps members apart, if a proxy heeds it; this keeps their pages out of it at all.
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    return middleware
