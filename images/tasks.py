from celery import shared_task
from django.utils import timezone

from core.jobs import background
from core.jobs.lease import LEASE

from .download import download
from .models import Image


@shared_task
def fetch_picture(image_id: int) -> None:
    download(image_id)


@shared_task
def sweep_fetches() -> None:
    """Start again what a crash or a dead broker left behind."""
    # A fresh row has a task under way; only those that had their chance are forgotten.
    old = timezone.now() - LEASE
    for pk in Image.objects.forgotten().filter(created_at__lt=old).values_list("pk", flat=True)[:50]:
        background.delay("images.tasks.fetch_picture", pk)
