from celery import shared_task

from .orphans import delete_orphans


@shared_task
def sweep_orphans() -> None:
    delete_orphans()
