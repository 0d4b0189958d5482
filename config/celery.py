"""The Celery application. Only used when CELERY_BROKER_URL is set; see core/jobs/background.py for the other case."""

import os
from typing import Any

from celery import Celery
from celery.signals import before_task_publish, celeryd_after_setup, task_prerun

from core.web.logs import current_request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("atelier")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# What waits in the queue while a site is upgraded from 0.1 has the names that tasks had there.
FORMER_NAMES = {
    "config.tasks.run_sweep": "core.tasks.run_sweep",
    "config.tasks.sweep_orphans": "content.tasks.sweep_orphans",
    "config.tasks.refresh_statistics": "core.tasks.refresh_statistics",
}


# Once for the worker, and not for each of its processes: those end after so many tasks, with nothing unsaid.
@celeryd_after_setup.connect
def make_everything_old(**_: Any) -> None:
    from core.caching import versions  # needs the settings

    versions.begin()


@celeryd_after_setup.connect
def take_former_names(**_: Any) -> None:
    for former, name in FORMER_NAMES.items():
        app.task(app.tasks[name].run, name=former)


@before_task_publish.connect
def send_request_id(headers: dict[str, Any], **_: Any) -> None:
    headers["request_id"] = current_request_id.get()


@task_prerun.connect
def take_request_id(task: Any, **_: Any) -> None:
    # The next task of this process sets it again; what beat starts belongs to no request and has the task's own id.
    sent = task.request.get("request_id") or "-"
    current_request_id.set(task.request.id if sent == "-" else sent)
