"""Adding up the views of the last minute, from Redis or from the rows that stand in for it; never twice."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from . import counted_in_redis
from .models import View, ViewBatch, ViewCount
from .page_views import today

ROWS = 5000


def flush_redis() -> None:
    """Write the pending counts; a batch that was written but not removed is known by its number."""
    number, counts = counted_in_redis.take()
    if not number:
        return
    try:
        with transaction.atomic():
            ViewBatch.objects.create(number=number)
            _add(counts)
    except IntegrityError:
        if not ViewBatch.objects.filter(number=number).exists():
            raise
    counted_in_redis.done()
    ViewBatch.objects.filter(added_at__lt=timezone.now() - timedelta(days=2)).delete()
    _rank(counts)


def _rank(counts: Mapping[tuple[str, int], int]) -> None:
    ids = defaultdict(list)
    for kind, target_id in counts:
        ids[kind].append(target_id)
    for kind, target_ids in ids.items():
        rows = ViewCount.objects.filter(target_kind=kind)
        if counted_in_redis.is_ranked(kind):
            rows = rows.filter(target_id__in=target_ids)
        else:  # the first flush, or Redis was lost
            rows = rows.order_by("-views")[: counted_in_redis.RANKED]
        counted_in_redis.rank(kind, dict(rows.values_list("target_id", "views")))


def flush_rows() -> None:
    """Count the rows written since the last time, and drop those of past days."""
    while _flush_some_rows() == ROWS:
        pass
    View.objects.filter(is_counted=True, seen_on__lt=today()).delete()


def _flush_some_rows() -> int:
    with transaction.atomic():
        uncounted = View.objects.filter(is_counted=False).order_by("id")
        rows = list(uncounted.select_for_update(skip_locked=True)[:ROWS])
        _add(Counter((row.target_kind, row.target_id) for row in rows))
        View.objects.filter(pk__in=[row.pk for row in rows]).update(is_counted=True)
    return len(rows)


def _add(counts: Mapping[tuple[str, int], int]) -> None:
    with connection.cursor() as cursor:
        for (kind, target_id), views in sorted(counts.items()):  # in order, so that two flushes cannot deadlock
            cursor.execute(
                "INSERT INTO actions_viewcount (target_kind, target_id, views) VALUES (%s, %s, %s) "
                "ON CONFLICT (target_kind, target_id) DO UPDATE SET views = actions_viewcount.views + excluded.views",
                [kind, target_id, views],
            )
