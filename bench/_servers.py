"""What benchmarks ask over a socket: the site as it is shipped (RSGI), or one constant page behind no middleware (WSGI)."""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

PAGE = "x" * 20_000


def constant(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


urlpatterns = [path("", constant)]


def bare_application() -> Any:
    import django
    from django.conf import settings

    settings.configure(ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="bench")
    django.setup(set_prefix=False)
    return WSGIHandler()


def site_application() -> Any:
    """The site with DEBUG off after the start (the simulator is refused otherwise) and without background work."""
    from django.conf import settings

    from config.rsgi import application
    from core.jobs import background

    settings.DEBUG = False
    background.start = lambda task, args: None
    return application


application = bare_application() if os.environ.get("BENCH_BARE") else site_application()
