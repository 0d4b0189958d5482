"""
View counts and rankings for any model: Redis, or the database without it.

A visitor counts once a day for each thing; programs and pages fetched ahead do not count. The totals are in the
database. Redis holds who was seen today, the views since the last flush (a minute) and the ranking, so a lost Redis
loses a minute. Without Redis each view is one INSERT, which the same flush adds up.
"""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from core.caching.memory import cached
from core.caching.versions import reads

from . import counted_in_redis, page_views, view_buffer
from .models import View, ViewCount


def count_view(request: HttpRequest, obj: models.Model) -> None:
    """
    Count this request as a view of the object, if it is one; actions/view_buffer.py does so within a second.

    A page that is kept for other visitors (core/caching/pages.py) has their looks counted there too.
    """
    kind = obj._meta.label_lower
    request.on_hit = partial(view_buffer.note, kind, obj.pk)  # type: ignore[attr-defined]
    if page_views.is_by_person(request):
        view_buffer.put(page_views.view_of(request, kind, obj.pk))


def views(obj: models.Model) -> int | None:
    """Return how often the object was looked at, as far as it was counted; None if that is unknown just now."""
    kind = obj._meta.label_lower
    return cached(("views", kind, obj.pk), partial(_views, kind, obj.pk))


def _views(kind: str, target_id: int) -> int | None:
    reads(ViewCount)
    if settings.REDIS_URL and (known := counted_in_redis.views(kind, target_id)) is not None:
        return known
    same = {"target_kind": kind, "target_id": target_id}
    uncounted = View.objects.filter(**same, is_counted=False).order_by().values("target_id")
    waiting = uncounted.annotate(waiting=models.Count("id")).values_list("waiting")
    total = ViewCount.objects.filter(**same).values_list("views").union(waiting, all=True)
    pending = counted_in_redis.pending(kind, target_id) if settings.REDIS_URL else 0
    return sum(number for (number,) in total) + pending


def with_views(rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Annotate `view_count`, right up to the last flush: a page that shows views need not ask a second time."""
    counts = ViewCount.objects.filter(target_kind=rows.model._meta.label_lower, target_id=OuterRef("pk"))
    annotated: models.QuerySet[Any] = rows.annotate(view_count=Coalesce(Subquery(counts.values("views")[:1]), 0))
    return annotated


def most_viewed(rows: type[models.Model] | models.QuerySet[Any], limit: int = 10) -> list[int]:
    """Return the ids of the most viewed of `rows` (a model, or what a visitor may see of it); gone ones are skipped."""
    rows = rows if isinstance(rows, models.QuerySet) else rows._default_manager.all()
    kind = rows.model._meta.label_lower
    reads(ViewCount)
    ranked = counted_in_redis.ranking(kind, limit * 3) if settings.REDIS_URL else []
    if ranked:
        alive = set(rows.filter(pk__in=ranked).values_list("pk", flat=True))
        shown = [pk for pk in ranked if pk in alive][:limit]
        if len(shown) == limit:
            return shown
    return _from_database(rows, limit)


def _from_database(rows: models.QuerySet[Any], limit: int) -> list[int]:
    """Go down the ranking until enough of it may be seen; as one question, both databases look at every row first."""
    counts = ViewCount.objects.filter(target_kind=rows.model._meta.label_lower).order_by("-views", "target_id")
    shown: list[int] = []
    read, size = 0, limit * 3
    while True:
        ids = list(counts.values_list("target_id", flat=True)[read : read + size])
        alive = set(rows.order_by().filter(pk__in=ids).values_list("pk", flat=True))
        shown += [pk for pk in ids if pk in alive]
        if len(shown) >= limit or len(ids) < size:
            return shown[:limit]
        read, size = read + size, size * 10


def forget(obj: models.Model) -> None:
    """Drop the counts of an object that is deleted; call it while the object still has its id."""
    for model in (ViewCount, View):
        model.objects.filter(target_kind=obj._meta.label_lower, target_id=obj.pk).delete()
    if settings.REDIS_URL:
        counted_in_redis.forget(obj._meta.label_lower, obj.pk)
