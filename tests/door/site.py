"""
The site as people run it: real processes on a database and in a folder of their own, watched from outside.

Embedded it is what `make run` starts, on SQLite; with services what docker-compose.yml starts, on PostgreSQL, Redis and
RabbitMQ. Two web workers each time, the local Stripe beside them, and a mail server that keeps what it is given.
"""

import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis
import requests
from kombu import Connection
from psycopg import sql

from account.tests.google_server import GoogleServer
from core.tests.sink import Sink
from core.tests.waiting import wait_until
from tests.processes import ARTIFACTS, PYTHON, ROOT, started
from tools.run import manage, web_server
from tools.services import answers, free_port

from .letters import Letters

OF_TESTS = ("DJANGO_SETTINGS_MODULE", "TEST_VAR_DIR", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_QUEUE")
GOOGLE_CLIENT = ("door", "secret")
STAFF_EMAIL = "staff@atelier.example"
SHOP_EMAIL = "post@atelier.example"


@dataclass
class Site:
    """A running site: its `url`, that of the local Stripe, and what can be learned without asking its pages."""

    name: str
    var: Path
    letters: Letters
    google: GoogleServer
    elsewhere: Sink  # a web server of somebody else's, whose pictures may be fetched
    services: dict[str, str]
    url: str = ""
    stripe_url: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    # --- People -----------------------------------------------------------------------------------------------------

    def proxied(self, home: str) -> dict[str, str]:
        """Return what a proxy in front of the site adds to a request from this address."""
        return {"X-Forwarded-For": home} if self.services else {}

    # --- From outside -----------------------------------------------------------------------------------------------

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Read rows as another program would; `?` stands for a value."""
        if not self.services:
            with closing(sqlite3.connect(self.var / "db.sqlite3", timeout=60)) as database:
                return database.execute(query, values).fetchall()
        with psycopg.connect(self.services["DATABASE_URL"]) as database:
            return database.execute(query.replace("?", "%s"), values).fetchall()

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` with these arguments, as an operator would beside the running site."""
        command = [PYTHON, "manage.py", *arguments]
        env = {**self.environment, **changes}
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)

    def runs(self, *arguments: str, **changes: str) -> str:
        """Run a command that has to succeed; return what it printed."""
        ended = self.run(*arguments, **changes)
        assert ended.returncode == 0, f"manage.py {' '.join(arguments)}:\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def stripe(self, act: str, **given: object) -> dict[str, object]:
        """Do at Stripe what its dashboard, a bank or a cardholder does (payment/simulator/control.py)."""
        answer = requests.post(f"{self.stripe_url}/_control/{act}", json=given, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stripe_books(self) -> dict[str, list[dict[str, object]]]:
        return requests.get(f"{self.stripe_url}/_control/state", timeout=60).json()

    # --- Logs -------------------------------------------------------------------------------------------------------

    def log_tail(self, lines: int = 60) -> str:
        return "\n".join(f"--- {log}\n" + "\n".join(self.log(log).splitlines()[-lines:]) for log in self.logs)

    def log(self, name: str) -> str:
        return (ARTIFACTS / name).read_text(errors="replace")

    def complaints(self) -> list[str]:
        """Return each traceback that a process has logged, with the line before; Django logs one for every 403."""
        return [
            f"--- {name}\n{self.log(name)[found.start() : found.start() + 3000]}"
            for name in self.logs
            for found in re.finditer(r"^(.*)\nTraceback \(most recent call last\)", self.log(name), re.MULTILINE)
            if "Forbidden (Permission denied)" not in found[1]
        ]

    # --- Starting ---------------------------------------------------------------------------------------------------

    @contextmanager
    def running(self) -> Iterator[None]:
        port, stripe_port = free_port(), free_port()
        self.url, self.stripe_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{stripe_port}"
        self.environment = self._environment()
        with ExitStack() as stack:
            self._start(stack, "stripe", manage("stripe_simulator", "--port", str(stripe_port), "--settle-after", "2"))
            self.runs("migrate", "--verbosity", "0")
            self.runs("createsuperuser", "--no-input", "--username", "editor", "--email", STAFF_EMAIL)
            for name, command in self._commands(port).items():
                self._start(stack, name, command)
            wait_until(lambda: answers(self.url), self.processes[-1])
            wait_until(lambda: answers(self.stripe_url), self.processes[0])
            yield

    def _start(self, stack: ExitStack, name: str, command: list[str]) -> None:
        log = f"door-{self.name}-{name}.log"
        self.processes.append(stack.enter_context(started(*command, log=log, env=self.environment)))
        self.logs.append(log)

    def _commands(self, port: int) -> dict[str, list[str]]:
        web = web_server(port, reload=False)
        web[web.index("--workers") + 1] = "2"
        if not self.services:
            return {"sweeps": manage("tick", "--forever"), "web": web}
        celery = [PYTHON, "-m", "celery", "-A", "config"]
        beat = ["beat", "--schedule", str(self.var / "beat"), "--loglevel", "INFO"]
        name = f"{self.services['CELERY_QUEUE']}@%h"  # tests run side by side, and their workers share a broker
        worker = ["worker", "--hostname", name, "--concurrency", "2", "--loglevel", "INFO"]
        return {"worker": [*celery, *worker], "beat": [*celery, *beat], "web": web}

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in OF_TESTS}
        ours = {
            "DJANGO_SETTINGS_MODULE": "tests.door.settings",
            "DEBUG": "true",  # the local Stripe runs only so
            "STAFF_SECOND_FACTOR": "true",
            "VAR_DIR": str(self.var),
            "SITE_URL": self.url,
            "STRIPE_API_BASE": self.stripe_url,
            "STRIPE_SECRET_KEY": "sk_test_door",
            "STRIPE_WEBHOOK_SECRET": "whsec_door",
            "EMAIL_URL": self.letters.url,
            "STAFF_EMAIL": STAFF_EMAIL,
            "SELLER_VAT_ID": "DE123456788",
            "GOOGLE_OAUTH2_KEY": GOOGLE_CLIENT[0],
            "GOOGLE_OAUTH2_SECRET": GOOGLE_CLIENT[1],
            "DOOR_GOOGLE": self.google.base,
            "FETCH_TEST_ORIGINS": f"127.0.0.1:{self.elsewhere.port}",
            "DJANGO_SUPERUSER_PASSWORD": "ink and a clean press",
            "PYTHONUNBUFFERED": "1",
        }
        proxy = {"PROXY_COUNT": "1"} if self.services else {}
        return {**inherited, **ours, **proxy, **self.services}


@contextmanager
def own_services(name: str) -> Iterator[dict[str, str]]:
    """Give the site its own database, Redis and queue on the services that the tests run with; end with none of them."""
    server, database = os.environ["DATABASE_URL"].rpartition("/")[::2]
    database = f"test_{database}_{name}"
    queue = f"{os.environ.get('CELERY_QUEUE', 'atelier')}-{name}"
    broker = os.environ["CELERY_BROKER_URL"]
    redis_url = os.environ["REDIS_URL"]
    redis.from_url(redis_url).flushdb()
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
    with psycopg.connect(f"{server}/postgres", autocommit=True) as outside:
        outside.execute(drop)
        outside.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        yield {
            "DATABASE_URL": f"{server}/{database}",
            "REDIS_URL": redis_url,
            "CELERY_BROKER_URL": broker,
            "CELERY_QUEUE": queue,
        }
        outside.execute(drop)
    with Connection(broker) as connection:
        for each in (queue, f"{queue}-slow"):
            connection.default_channel.queue_delete(each)
