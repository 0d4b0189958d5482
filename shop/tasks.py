from celery import shared_task

from . import alerts, recommender
from .models import Basket


@shared_task
def count_baskets() -> None:
    """Count the paid orders that are not yet in the recommendations, and fill a Redis that has lost them."""
    for basket in Basket.objects.filter(counted_at__isnull=True).order_by("pk")[:1000]:
        recommender.count(basket)
    recommender.fill_redis()


@shared_task
def answer_stock_alerts() -> None:
    """Mail those who waited for a product that is back, however it came back."""
    alerts.answer_all()
