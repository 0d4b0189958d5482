"""
The site's own settings, for processes that know nothing of a test, but for two things.

What a developer keeps in `.env` does not count, and what is swept each minute is swept every few seconds, so that
nobody has to wait.
"""

import decouple

decouple.config.config = decouple.Config(decouple.RepositoryEmpty())

from config.settings import *  # noqa: E402, F403
from config.settings import CELERY_BEAT_SCHEDULE, SWEEPS  # noqa: E402

SECONDS = 4

for name, seconds in SWEEPS.items():
    if seconds <= 60:
        SWEEPS[name] = SECONDS
        CELERY_BEAT_SCHEDULE[name]["schedule"] = SECONDS
