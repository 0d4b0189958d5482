import logging

from celery import shared_task

from core.jobs.rows import each

from . import alerts, recommender
from .counts import recount
from .models import Basket

logger = logging.getLogger(__name__)


@shared_task
def count_baskets() -> None:
    """Count the paid orders that are not yet in the recommendations, and fill a Redis that has lost them."""
    recommender.fill_redis()
    each(recommender.count, Basket.objects.filter(counted_at__isnull=True).order_by("pk")[:1000])


@shared_task
def answer_stock_alerts() -> None:
    """Mail those who waited for a product that is back, however it came back."""
    alerts.answer_all()


@shared_task
def align_category_counts() -> None:
    """
    Let each category say again how many products it shows.

    While a site is upgraded the former version still writes for some seconds, and knows nothing of these numbers.
    """
    for line in recount(write=True):
        logger.warning("number of products, %s", line)
