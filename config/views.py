import logging
from collections.abc import Callable
from typing import Any

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
from blog.models import Post
from images.models import Image
from shop.models import Product

from .celery import app as celery_app
from .http import viewer
from .pagecache import for_everyone

STRIP = 6  # popular images on the front page

logger = logging.getLogger(__name__)


@require_safe
@for_everyone("blog", "images", "shop", "account.User")
def home(request: HttpRequest) -> HttpResponse:
    posts = list(Post.objects.published().newest_first().cards()[:4])
    products = Product.objects.available().select_related("cover").order_by("-pk")[:4]
    newest = posts[0] if posts else None
    context = {"newest": newest, "earlier": posts[1:], "products": products, "images": _popular_images(viewer(request))}
    return render(request, "config/home.html", context)


def _popular_images(reader: Any) -> list[Image]:
    """Return the most viewed, and until there are enough of them the newest."""
    public = Image.objects.shown_to(reader)
    viewed = most_viewed(public, STRIP)
    found = public.in_bulk(viewed)
    images = [found[pk] for pk in viewed if pk in found]
    if len(images) < STRIP:
        images += public.exclude(pk__in=found)[: STRIP - len(images)]
    return images


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
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Ask database, cache and broker; 503 when the database is away, the only one the site cannot do without."""
    parts = {"database": _works(_ask_database), "cache": _works(_ask_cache)}
    if settings.CELERY_BROKER_URL:
        parts["broker"] = _works(_ask_broker)
    answer = {name: "ok" if works else "away" for name, works in parts.items()}
    return JsonResponse(answer, status=200 if parts["database"] else 503)


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
