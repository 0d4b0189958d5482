"""Social-auth's addresses, which are there only on a site that has a key for Google; the first step has a limit."""

from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from social_django import views

from core.web.ratelimit import View, limited

app_name = "social"


def with_key(view: View) -> View:
    """Without a key Google would be asked in nobody's name, and each try would leave a session behind."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not settings.SOCIAL_AUTH_GOOGLE_OAUTH2_KEY:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


urlpatterns = [
    path("login/<str:backend>/", with_key(limited("10/min", "60/h", scope="google")(views.auth)), name="begin"),
    path("complete/<str:backend>/", with_key(views.complete), name="complete"),
    path("disconnect/<str:backend>/", with_key(views.disconnect), name="disconnect"),
]
