"""The Celery application. Only used when CELERY_BROKER_URL is set; see mail/relay.py for the other case."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_postrun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("atelier")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_postrun.connect
def note_sweep(task: Any, state: str, **_: Any) -> None:
    from django.conf import settings

    from .sweeps import note

    if task.name in settings.SWEEPS:
        note(task.name, has_failed=state != "SUCCESS")
