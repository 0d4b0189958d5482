"""Real processes for tests: a worker, a server or a command beside the test, on the test's database and files."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from core.tests.waiting import wait_until
from tools.run import web_server
from tools.services import answers, free_port

ROOT = Path(__file__).resolve().parents[1]
ARTIFACTS = ROOT / "var" / "test-artifacts"
PYTHON = sys.executable


def environment(**changes: str) -> dict[str, str]:
    """Return the environment in which another process works on this test's database, files and queue."""
    database = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database}"
    else:
        url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{database}").geturl()
    ours = {
        "DJANGO_SETTINGS_MODULE": "config.test_settings",
        "TEST_VAR_DIR": str(settings.VAR_DIR),
        "DATABASE_URL": url,
        "CELERY_BROKER_URL": settings.CELERY_BROKER_URL,
        "SITE_URL": settings.SITE_URL,
    }
    return {**os.environ, **ours, **changes}


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` with these arguments to its end."""
    command = [PYTHON, "manage.py", *arguments]
    env = environment(**changes)
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)


def told(expression: str, *imports: str, **changes: str) -> str:
    """Return what a process of its own, which reads the environment anew, prints of the settings; or why it does not."""
    code = "; ".join(["from django.conf import settings", *imports, f"print({expression})"])
    done = subprocess.run([PYTHON, "-c", code], cwd=ROOT, env=environment(**changes), capture_output=True, text=True)
    return done.stdout.strip() or done.stderr


def sent_mails() -> list[Path]:
    """Return the files that processes without a mail server wrote instead of sending."""
    return sorted((settings.VAR_DIR / "mail").glob("*.eml"))


def forget_mails() -> None:
    shutil.rmtree(settings.VAR_DIR / "mail", ignore_errors=True)


@contextmanager
def started(*command: str, log: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program as the leader of its own process group until the block ends; its output is an artefact."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    with (ARTIFACTS / log).open("wb") as output:
        child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=True)
    try:
        yield child
    finally:
        end(child)


def end(child: subprocess.Popen[bytes]) -> None:
    signal_group(child, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(10)
    signal_group(child, signal.SIGKILL)
    child.wait()


def signal_group(child: subprocess.Popen[bytes], signal_number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal_number)


@contextmanager
def worker(**changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Celery worker on this test's queue; yields when it takes tasks."""
    queue = settings.CELERY_TASK_DEFAULT_QUEUE
    log = f"worker-{queue}.log"
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    # A name of its own: of two workers of one name the broker lets one in, and other tests run beside these.
    name = ["--hostname", f"{queue}@%h"]
    command = [PYTHON, "-m", "celery", "-A", "config", "worker", "--concurrency", "1", *name, *quiet]
    with started(*command, log=log, env=environment(**changes)) as child:
        wait_until(lambda: " ready." in (ARTIFACTS / log).read_text(), child)
        yield child


@contextmanager
def beat(**changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run celery beat, which sends to this test's queue which sweeps to look at."""
    command = [PYTHON, "-m", "celery", "-A", "config", "beat", "--loglevel", "INFO"]
    log = f"beat-{settings.CELERY_TASK_DEFAULT_QUEUE}.log"
    with started(*command, log=log, env=environment(**changes)) as child:
        yield child


@contextmanager
def site(**changes: str) -> Iterator[SimpleNamespace]:
    """Run the web server and the local Stripe as `make run` does; gives the `url` and the `process` of each."""
    forget_mails()
    port, stripe_port = free_port(), free_port()
    addresses = SimpleNamespace(url=f"http://127.0.0.1:{port}", stripe_url=f"http://127.0.0.1:{stripe_port}")
    addresses.settings = {
        "SITE_URL": addresses.url,
        "STRIPE_API_BASE": addresses.stripe_url,
        "STRIPE_SECRET_KEY": "sk_test_journey",
        "STRIPE_WEBHOOK_SECRET": "whsec_journey",
        **changes,
    }
    env = environment(**addresses.settings)
    # Its books are its own: what other tests of this process paid must not come up in this one.
    stripe = [PYTHON, "manage.py", "stripe_simulator", "--port", str(stripe_port), "--state", ""]
    with (
        started(*web_server(port, reload=False), log=f"site-{port}.log", env=env) as addresses.process,
        started(*stripe, log=f"stripe-{port}.log", env=env) as addresses.stripe_process,
    ):
        wait_until(lambda: answers(addresses.url), addresses.process)
        wait_until(lambda: answers(addresses.stripe_url), addresses.stripe_process)
        yield addresses
