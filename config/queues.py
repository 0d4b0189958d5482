"""
Which queues Celery has, and what its beat sends into them.

Read by settings.py, so it imports nothing of Django that needs settings.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kombu.entity import Exchange, Queue

PACE = 60  # seconds after which beat asks again for what is rarely due, so that a lost message delays it no longer
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# A request must not wait for a broker that is away. Beat must: without these, one lost connection is never made anew.
PATIENT = {"retry": True, "retry_policy": {"max_retries": 3, "interval_start": 0, "interval_step": 1}}


def queues_in(*names: str) -> list[Queue]:
    """Return CELERY_TASK_QUEUES: a broker that is restarted, or one of several that dies, loses nothing of them."""
    return [Queue(name, Exchange(name), name, queue_arguments={"x-queue-type": "quorum"}) for name in names]


def beat_schedule(sweeps: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Return CELERY_BEAT_SCHEDULE: each sweep is asked for at once and then often, and the database says if it is due."""
    return {
        name: {
            "task": "core.tasks.run_sweep",
            "args": [name],
            "schedule": min(seconds, PACE),
            "last_run_at": LONG_AGO,
            # Nobody needs the questions that pile up while no worker runs.
            "options": {**PATIENT, "expires": PACE},
        }
        for name, seconds in sweeps.items()
    }
