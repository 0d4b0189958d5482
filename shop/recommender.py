"""
"Bought together": which products people bought with a product, from paid orders only.

What was bought is written once for each order, in the transaction that makes it paid; counting follows in the
background, once, because a basket is counted in the transaction that marks it as counted. The table of pairs is the
truth. With Redis each product's pairs are mirrored into a sorted set, by score and not by increment, so that writing
one twice changes nothing; a product page then reads a few ids instead of ranking pairs. Without Redis, or when it is
away, the table answers.
"""

from collections.abc import Iterable
from itertools import permutations
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from core.caching.versions import changed, reads
from core.jobs import background
from core.stores.redisstore import ask

from .models import Basket, BoughtTogether, Card, Product, ProductQuerySet

MAX_PRODUCTS = 20  # of one order; pairs grow with the square
KEPT = 50  # pairs of one product in Redis
READY = "together:ready"  # set when Redis holds everything; gone with whatever else a lost Redis forgot


def record(order_id: int, product_ids: Iterable[int]) -> None:
    """Remember what a paid order held; the same order again changes nothing. Call it in the paying transaction."""

    held = sorted(set(product_ids))[:MAX_PRODUCTS]
    if len(held) > 1:
        Basket.objects.bulk_create([Basket(order_id=order_id, product_ids=held)], ignore_conflicts=True)
        background.delay_on_commit("shop.tasks.count_baskets")


def bought_together(ids: list[int], limit: int = 4) -> list[Card]:
    """Return what is most often bought with these, leaving out what is not for sale at the moment."""
    best = companions(ids, limit)
    if isinstance(best, ProductQuerySet):
        return best.cards()
    found = Product.objects.on_show().in_stock().filter(pk__in=best).cards() if best else []
    return sorted(found, key=lambda card: best.index(card.pk))[:limit]


def companions(ids: list[int], limit: int) -> ProductQuerySet | list[int]:
    """Return the best companions as ids (from Redis) or as a query (from the table); either fits `pk__in`."""
    if not ids:
        return []
    # A few more than wanted, for those that are sold out by now.
    reads(BoughtTogether)
    from_redis = ask(lambda redis: _ranked_in_redis(redis, ids, limit * 3))
    return _ranked_in_table(ids, limit) if from_redis is None else from_redis


def _ranked_in_table(ids: list[int], limit: int) -> ProductQuerySet:
    ranked = Product.objects.on_show().in_stock().exclude(pk__in=ids).filter(bought_with__product__in=ids)
    return ranked.annotate(score=Sum("bought_with__score")).filter(score__gt=0).order_by("-score", "-pk")[:limit]


def _ranked_in_redis(redis: Any, ids: list[int], limit: int) -> list[int] | None:
    pipeline = redis.pipeline(transaction=False)
    pipeline.exists(READY)
    pipeline.zunion([_key(pk) for pk in ids], withscores=True)
    is_ready, scores = pipeline.execute()
    if not is_ready:
        return None
    best = sorted(((float(score), int(pk)) for pk, score in scores), reverse=True)
    return [pk for _, pk in best if pk not in ids][:limit]


def _key(product_id: int) -> str:
    return f"together:{product_id}"


# --- Counting -------------------------------------------------------------------------------------------------------


def count(basket: Basket) -> bool:
    """Add the basket to the pairs, once, however often and by however many this is called; False if it was counted."""
    with transaction.atomic():
        waiting = Basket.objects.filter(pk=basket.pk, counted_at__isnull=True)
        if not waiting.update(counted_at=timezone.now()):
            return False
        held = list(Product.objects.filter(pk__in=basket.product_ids).values_list("pk", flat=True))
        pairs = sorted(permutations(held, 2))
        BoughtTogether.objects.bulk_create(
            [BoughtTogether(product_id=one, other_id=other) for one, other in pairs], ignore_conflicts=True
        )
        rows = BoughtTogether.objects.filter(product__in=held, other__in=held)
        # Locked in one order by everybody, so that two workers with overlapping baskets do not wait for each other.
        list(rows.order_by("product_id", "other_id").select_for_update().values_list("pk", flat=True))
        rows.update(score=F("score") + 1)
    if ask(lambda redis: _mirror(redis, held)):
        changed([BoughtTogether._meta.db_table])  # once more: who asked Redis since the commit was told the old pairs
    return True


def _mirror(redis: Any, product_ids: Iterable[int]) -> bool:
    """Write the products' pairs into Redis as the table has them."""
    pipeline = redis.pipeline(transaction=True)
    for product_id in product_ids:
        best = BoughtTogether.objects.filter(product=product_id).order_by("-score", "-other_id")[:KEPT]
        scores = {str(pair.other_id): pair.score for pair in best}
        pipeline.delete(_key(product_id))
        if scores:
            pipeline.zadd(_key(product_id), scores)
    pipeline.execute()
    return True


def fill_redis() -> bool:
    """Give Redis everything if it lacks it (new, or lost what it had); False when there is nothing to do."""
    if ask(lambda redis: redis.exists(READY)) != 0:
        return False
    for product_id in BoughtTogether.objects.values_list("product_id", flat=True).distinct():
        ask(lambda redis, pk=product_id: _mirror(redis, [pk]))  # type: ignore[misc]
    return bool(ask(lambda redis: redis.set(READY, "1")))


def rebuild() -> int:
    """Forget all pairs and count every basket anew; return how many there are."""
    with transaction.atomic():
        BoughtTogether.objects.all().delete()
        Basket.objects.filter(~Q(counted_at=None)).update(counted_at=None)
    baskets = 0
    for basket in Basket.objects.order_by("pk").iterator(chunk_size=500):
        baskets += count(basket)
    ask(lambda redis: redis.delete(READY))
    fill_redis()
    return baskets
