"""The Celery application. Only used when CELERY_BROKER_URL is set; see mail/relay.py for the other case."""

import os
from typing import Any

from celery import Celery
from celery.signals import before_task_publish, task_prerun

from .logs import current_request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("atelier")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@before_task_publish.connect
def send_request_id(headers: dict[str, Any], **_: Any) -> None:
    headers["request_id"] = current_request_id.get()


@task_prerun.connect
def take_request_id(task: Any, **_: Any) -> None:
    # The next task of this process sets it again; what beat starts belongs to no request and has the task's own id.
    sent = task.request.get("request_id") or "-"
    current_request_id.set(task.request.id if sent == "-" else sent)
