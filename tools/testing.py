"""
The test suite in its parts: `python -m tools.testing sqlite services browser door`.

The same suite runs on SQLite with nothing else, the size most sites stay at, and on PostgreSQL, Redis and RabbitMQ; the
tests that drive a browser follow, and those that walk through a site started as people start it. Two parts run side by
side, for they wait for different things. Databases, ports and queues are this run's own, and what it starts it ends.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from .bootstrap import ROOT
from .services import Missing, Services, need_chromium, start

SIDE_BY_SIDE = 2
SECONDS_TO_STOP = 30
SERVICE_VARIABLES = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_QUEUE")
OWN_NAME = f"atelier_{os.getpid()}"


@dataclass(frozen=True)
class Kind:
    """What a part is, which tests it takes, and in how many processes: beside another part, and when it runs alone."""

    what: str
    tests: tuple[str, ...]
    beside: int
    alone: int
    redis: int | None = None  # its first Redis database, counted from the one that is given; each process has one


KINDS = {
    "sqlite": Kind(
        "the suite on SQLite, without any service", ("-m", "not (services or browser or live or door)"), 2, 2
    ),
    "services": Kind(
        "the suite on PostgreSQL, Redis and RabbitMQ, with a real worker",
        ("-m", "services or not (browser or live or door)"),
        beside=2,
        alone=3,  # more than cores: here tests wait for services as often as they work
        redis=0,
    ),
    "browser": Kind("the tests that drive Chromium", ("-m", "browser and not services", "tests/e2e"), 0, 2),
    "door": Kind("journeys through the running site, embedded and with services", ("tests/door",), 2, 2, redis=8),
}


def main(names: list[str]) -> int:
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, signal.default_int_handler)
    started = time.monotonic()
    shutil.rmtree(ROOT / "var" / "test-artifacts", ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="atelier-testing-") as folder:
        Path(folder).chmod(0o711)  # services run as their own users, and theirs is in there
        try:
            with needed(names) as found:
                parts = [Part(name, Path(folder), found, is_alone=len(names) == 1) for name in names]
                run(parts)
        except Missing as error:
            print(error)
            return 1
    print_summary(parts, time.monotonic() - started)
    return 1 if any(part.code for part in parts) else 0


@contextmanager
def needed(names: list[str]) -> Iterator[Services | None]:
    """Find or start what the parts share; in the end stop what was started, and drop what a killed process left."""
    if {"services", "browser"} & set(names):
        need_chromium()
    if all(KINDS[name].redis is None for name in names):
        yield None
        return
    found = start()
    try:
        yield found
    finally:
        drop_databases(found.urls["postgresql"])
        found.stop()


@dataclass
class Part:
    name: str
    folder: Path
    services: Services | None
    is_alone: bool
    code: int | None = None
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    _process: subprocess.Popen[str] | None = None

    def run(self) -> None:
        say(f"=== {self.name}: {KINDS[self.name].what} ===")
        started = time.monotonic()
        self._process = subprocess.Popen(
            self._command(),
            cwd=ROOT,
            env=self._environment(),
            stdout=None if self.is_alone else subprocess.PIPE,
            stderr=None if self.is_alone else subprocess.STDOUT,
            text=True,
            start_new_session=not self.is_alone,  # or Ctrl-C would reach it a second time, and in the middle of its end
        )
        for line in self._process.stdout or ():
            say(f"{self.name:<9}{line.rstrip()}")
        self.code = self._process.wait()
        self.seconds = time.monotonic() - started
        self.outcomes = counted(self._report)

    def stop(self) -> None:
        """Interrupt it as Ctrl-C does, so that what the tests have started is ended by them."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(SECONDS_TO_STOP)
            self._process.kill()

    @property
    def _report(self) -> Path:
        return self.folder / f"{self.name}.xml"

    def _command(self) -> list[str]:
        kind = KINDS[self.name]
        # Importing our package named the site's own settings; the option is what outranks the environment.
        options = ["--quiet", "--ds=config.test_settings", f"--junitxml={self._report}"]
        processes = f"-n{kind.alone if self.is_alone else kind.beside}"
        return [sys.executable, "-m", "pytest", *options, processes, *kind.tests]

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in SERVICE_VARIABLES}
        # Hundreds of processes are started; what one has compiled the others need not.
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)
        # A process that is killed cannot remove its files, so all of them go where this one removes them.
        inherited["TMPDIR"] = str(self.folder)
        redis = KINDS[self.name].redis
        return inherited if self.services is None or redis is None else inherited | addresses(self.services, redis)


def run(parts: list[Part]) -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as places:
        running = [places.submit(part.run) for part in parts]
        try:
            for each in running:
                each.result()
        except BaseException:
            places.shutdown(wait=False, cancel_futures=True)
            for part in parts:
                part.stop()
            raise


def addresses(found: Services, redis_database: int) -> dict[str, str]:
    server, _, _ = found.urls["postgresql"].rpartition("/")
    redis, _, first = found.urls["redis"].rpartition("/")
    return {
        "DATABASE_URL": f"{server}/{OWN_NAME}",
        "REDIS_URL": f"{redis}/{int(first) + redis_database}",
        "CELERY_BROKER_URL": found.urls["rabbitmq"],
        "CELERY_QUEUE": OWN_NAME,
    }


def drop_databases(url: str) -> None:
    """Drop what a killed test process may have left on a server that is not ours alone."""
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (name,) in connection.execute(query, [f"test_{OWN_NAME}"]).fetchall():
            drop = psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name))
            connection.execute(drop)


def counted(report: Path) -> Counter[str]:
    """Return one part's outcomes; a part that wrote no report counts as an error of its own."""
    if not report.exists():
        return Counter(errors=1)
    suite = next(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 (pytest wrote it)
    others = {"failed": "failures", "errors": "errors", "skipped": "skipped"}
    found = Counter({outcome: int(suite.get(name, 0)) for outcome, name in others.items()})
    return Counter(passed=int(suite.get("tests", 0)) - found.total()) + found


def print_summary(parts: list[Part], seconds: float) -> None:
    total: Counter[str] = sum((part.outcomes for part in parts), Counter())
    say("")
    for part in parts:
        say(f"{part.name:<9}{part.seconds:>5.0f}s  {told(part.outcomes)}{'  FAILED' if part.code else ''}")
    say(f"=== {told(total)} in {seconds:.0f}s ===")


def told(outcomes: Counter[str]) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items()) or "nothing was tested"


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
