"""
One contender of bench/peers.py, in a process of its own: `serve.py MODULE ROWS` fills and then measures what it is told.

A line "KIND STATE" is answered by the mean CPU seconds of a block of such requests, or "null" when nothing is left. The
module gives `prepare(rows)`: the WSGI application, and of each kind the address that is repeated and others like it.
"""

import gzip
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

from bench._timing import _mean, call


def main(name: str, rows: int) -> None:
    application, pages = importlib.import_module(name).prepare(rows)
    cookie = member() if name != "atelier_kept" else ""
    acts: dict[str, Callable[[], Any]] = {}
    sizes = {}
    for kind, (repeat, others) in pages.items():
        for _, address in zip(range(10), others, strict=False):
            call(application, address)
        sizes[kind] = len(unzipped(call(application, repeat)))
        acts[f"{kind} first"] = lambda others=others: call(application, next(others))
        acts[f"{kind} repeat"] = lambda repeat=repeat: call(application, repeat)
        acts[f"{kind} member"] = lambda repeat=repeat: call(application, repeat, cookie)
    print(json.dumps({"sizes": sizes, "versions": versions()}), flush=True)
    for line in sys.stdin:
        mean = _mean(acts[line.strip()], None)
        print(json.dumps(mean if mean < float("inf") else None), flush=True)


def unzipped(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body  # kept pages are handed out zipped


def member() -> str:
    """Return the session cookie of somebody without rights."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    person = get_user_model().objects.create_user("reader", "reader@example.com", "x")
    client = Client()
    client.force_login(person, settings.AUTHENTICATION_BACKENDS[0])
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("Django", "wagtail", "django-oscar"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def configure(folder: str, makes: str = "", **settings: Any) -> None:
    """Set Django up as `startproject` does for production, and make the tables."""
    import django
    from django.conf import settings as made
    from django.core.management import call_command

    middleware = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    processors = [
        f"django.{name}"
        for name in (
            "template.context_processors.request",
            "contrib.auth.context_processors.auth",
            "contrib.messages.context_processors.messages",
        )
    ] + settings.pop("PROCESSORS", [])
    apps = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages", "staticfiles")]
    options = {"context_processors": processors}
    template = {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": options}
    given = {
        "DEBUG": False, "SECRET_KEY": "bench", "ALLOWED_HOSTS": ["*"], "USE_TZ": True, "STATIC_URL": "static/",
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField", "MEDIA_URL": "/media/", "MEDIA_ROOT": folder,
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db.sqlite3", "CONN_MAX_AGE": None}},
        "MIDDLEWARE": middleware + settings.pop("MORE_MIDDLEWARE", []), "TEMPLATES": [template],
        "INSTALLED_APPS": apps + settings.pop("APPS"),
    }  # fmt: skip
    made.configure(**given | settings)
    django.setup()
    if makes:
        call_command("makemigrations", makes, verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
