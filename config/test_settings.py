"""
The settings of the test suite: faster hashing, throw-away files and much patience, nothing that changes behaviour.

A test process takes its services from DATABASE_URL and REDIS_URL, as the site does, but only from the environment:
what a developer keeps in `.env` must not reach a test.
"""

import atexit
import os
import shutil
import tempfile

import decouple

decouple.config.config = decouple.Config(decouple.RepositoryEmpty())

os.environ.setdefault("DEBUG", "true")
if "TEST_VAR_DIR" in os.environ:  # a worker or server that a test started shares the files and services of that test
    os.environ["VAR_DIR"] = os.environ["TEST_VAR_DIR"]
else:
    os.environ["VAR_DIR"] = _files = tempfile.mkdtemp(prefix="atelier-test-")
    _owner = os.getpid()

    @atexit.register
    def _remove_files() -> None:
        if os.getpid() == _owner:
            shutil.rmtree(_files, ignore_errors=True)

    # Processes side by side need a queue each, and a Redis database each: clearing the cache empties one.
    _number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ["CELERY_QUEUE"] = f"{os.environ.get('CELERY_QUEUE', 'atelier-test')}-{_number}"
    if os.environ.get("REDIS_URL"):
        _server, _, _database = os.environ["REDIS_URL"].rpartition("/")
        os.environ["REDIS_URL"] = f"{_server}/{int(_database) + _number}"

from .queues import beat_schedule  # noqa: E402
from .settings import *  # noqa: E402, F403
from .settings import CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES, SWEEPS  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A busy machine must not look like a service that is away, nor a slow disk like a database that is locked.
REDIS_TIMEOUT = 60
DATABASE_TIMEOUT = int(os.environ.get("TEST_DATABASE_SECONDS", "600"))
SECONDS_TO_FINISH = 100
# A test whose broker is dead on purpose does not wait for it.
CELERY_BROKER_CONNECTION_TIMEOUT = _patience = int(os.environ.get("TEST_BROKER_SECONDS", "60"))
CELERY_BROKER_TRANSPORT_OPTIONS |= {
    name: _patience for name in CELERY_BROKER_TRANSPORT_OPTIONS if name.endswith("timeout")
}
# A test of what the sweeps mend cannot wait a minute for each.
if "TEST_SWEEP_SECONDS" in os.environ:
    SWEEPS = {name: min(seconds, int(os.environ["TEST_SWEEP_SECONDS"])) for name, seconds in SWEEPS.items()}
    CELERY_BEAT_SCHEDULE = beat_schedule(SWEEPS)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] |= {
        "timeout": 120,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",  # no test cuts the power
    }
else:
    DATABASES["default"]["OPTIONS"] |= {"options": "-c synchronous_commit=off"}  # nor this one's
