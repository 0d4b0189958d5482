"""
The site's own settings, for processes that know nothing of a test, but for three things.

What a developer keeps in `.env` does not count, what is swept each minute is swept every few seconds, so that nobody
has to wait, and Google is on this machine.
"""

import os

import decouple

decouple.config.config = decouple.Config(decouple.RepositoryEmpty())

from config.queues import beat_schedule  # noqa: E402
from config.settings import *  # noqa: E402, F403
from config.settings import AUTHENTICATION_BACKENDS, SWEEPS  # noqa: E402

SECONDS = int(os.environ.get("DOOR_SWEEP_SECONDS", "4"))

SWEEPS = {name: min(seconds, SECONDS) if seconds <= 60 else seconds for name, seconds in SWEEPS.items()}
CELERY_BEAT_SCHEDULE = beat_schedule(SWEEPS)
AUTHENTICATION_BACKENDS = [
    "tests.door.google.LocalGoogle" if backend == "account.backends.GoogleBackend" else backend
    for backend in AUTHENTICATION_BACKENDS
]
