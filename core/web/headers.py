"""What browsers and proxies are told beside the page: who may keep it, who may embed it, what it may use."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Features that no page of ours uses, so that nothing injected into one could.
PERMISSIONS = ", ".join(
    f"{feature}=()" for feature in ("browsing-topics", "camera", "geolocation", "microphone", "payment", "usb")
)


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
