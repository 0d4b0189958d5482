"""
Pictures from disk, for a site without nginx or a bucket in front.

Only what the site itself has written is handed out, under the type that it has; a browser that is talked into opening it
as a page can do nothing there. The web server reads the file by itself (core/serving/site.py).
"""

from datetime import UTC, datetime

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import condition, require_safe

TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
# No longer, for what has become private must go from proxies too; nginx.conf says the same.
CACHE = "public, max-age=3600"
# Members' pictures: a name does not tell whether this one is for everybody, so that no proxy keeps any of them.
CACHE_OF_MEMBERS = "private, max-age=3600"
MEMBERS = ("images/", "people/")


def cache_control(name: str) -> str:
    return CACHE_OF_MEMBERS if name.startswith(MEMBERS) else CACHE


def written_at(request: HttpRequest, name: str) -> datetime | None:
    try:
        return default_storage.get_modified_time(name).astimezone(UTC)
    except (OSError, SuspiciousFileOperation, ValueError):
        return None


@require_safe
@condition(last_modified_func=written_at)
def media(request: HttpRequest, name: str) -> FileResponse:
    kind = TYPES.get(name.rpartition(".")[2])
    if kind is None or written_at(request, name) is None:
        raise Http404
    response = FileResponse(default_storage.open(name), content_type=kind)
    response["Cache-Control"] = cache_control(name)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
