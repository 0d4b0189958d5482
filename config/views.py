import logging
import threading
from collections.abc import Callable, Collection
from functools import partial

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.crypto import get_random_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from actions.popularity import most_viewed
from blog import public
from core.caching.memory import cached
from core.caching.pages import for_everyone
from core.people import Viewer
from core.web.http import viewer
from images.models import Image
from images.tiles import Tile
from shop.models import Card, Product

from .celery import app as celery_app

PICTURES = 6  # popular images on the front page
NEWEST_POSTS = NEWEST_PRODUCTS = 4

_asking = threading.Lock()
_found: list[dict[str, str]] = []  # what /readyz has told last

logger = logging.getLogger(__name__)


@require_safe
@for_everyone()
def home(request: HttpRequest) -> HttpResponse:
    context = {
        "posts": public.newest(NEWEST_POSTS),
        "products": cached(("newest products",), _newest_products),
        "images": _popular_images(viewer(request)),
    }
    return render(request, "config/home.html", context)


def _newest_products() -> list[Card]:
    return Product.objects.on_show().order_by("-pk")[:NEWEST_PRODUCTS].cards()


def _popular_images(reader: Viewer) -> list[Tile]:
    """Return the most viewed, and until there are enough of them the newest; ranked again when something changed."""
    hidden = frozenset(reader.hidden_ids() if reader.is_authenticated else ())
    return cached(("popular images", hidden), partial(_rank, hidden))


def _rank(hidden: Collection[int]) -> list[Tile]:
    public = Image.objects.public().exclude(owner__in=hidden)
    ids = most_viewed(public, PICTURES)
    if len(ids) < PICTURES:
        ids += public.exclude(pk__in=ids).values_list("pk", flat=True)[: PICTURES - len(ids)]
    return sorted(public.filter(pk__in=ids).tiles(), key=lambda tile: ids.index(tile.pk))


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "config/about.html")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    return render(request, "config/terms.html")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """For programs that ask for the old place without having read a page."""
    return redirect(static("img/favicon.svg"))


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """
    Tell whether database, cache and broker answer; 503 when the database is away, the only one the site cannot do without.

    Anybody may ask, and a broker that hangs costs seconds: one thread asks, and whoever comes meanwhile is told what was
    found last.
    """
    if _asking.acquire(blocking=not _found):
        try:
            _found[:] = [_ask_all()]
        finally:
            _asking.release()
    return JsonResponse(_found[0], status=200 if _found[0]["database"] == "ok" else 503)


def _ask_all() -> dict[str, str]:
    parts = {"database": _ask_database, "cache": _ask_cache}
    if settings.CELERY_BROKER_URL:
        parts["broker"] = _ask_broker
    return {name: "ok" if _works(ask) else "away" for name, ask in parts.items()}


def _works(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except Exception as error:  # whatever a driver raises, the answer is the same
        logger.warning("not ready: %s", error)
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_cache() -> None:
    token = get_random_string(12)
    cache.set("readyz", token, 5)
    if cache.get("readyz") != token:
        raise ConnectionError("the cache forgot what it was just told")


def _ask_broker() -> None:
    with celery_app.connection_for_write(settings.CELERY_BROKER_URL, connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
