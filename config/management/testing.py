"""
The test suite in its parts: `python -m config.management.testing sqlite services browser door`.

The same suite runs on SQLite with nothing else, the size most sites stay at, then on PostgreSQL, Redis and RabbitMQ;
the tests that drive a browser follow, and those that walk through a site started as people start it. Databases, ports and queues are this run's own, and what it starts it ends.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import psycopg

from .bootstrap import ROOT
from .services import Missing, Services, need_chromium, start

OUTCOMES = ("passed", "failed", "errors", "skipped")
SERVICE_VARIABLES = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_QUEUE")
OWN_NAME = f"atelier_{os.getpid()}"


def main(parts: list[str]) -> int:
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, signal.default_int_handler)
    started = time.monotonic()
    shutil.rmtree(ROOT / "var" / "test-artifacts", ignore_errors=True)
    totals = dict.fromkeys(OUTCOMES, 0)
    failed = []
    with tempfile.TemporaryDirectory(prefix="atelier-testing-") as folder:
        for part in parts:
            print(f"\n=== {part}: {PARTS[part].__doc__} ===", flush=True)
            report = Path(folder) / f"{part}.xml"
            try:
                code = PARTS[part](report)
            except Missing as error:
                print(error)
                code = 1
            if code:
                failed.append(part)
            count(report, totals)
    print_summary(totals, failed, time.monotonic() - started)
    return 1 if failed else 0


def sqlite(report: Path) -> int:
    """the suite on SQLite, without any service"""
    return pytest(report, "-n2", "-m", "not (services or browser or live or door)", environment={})


def services(report: Path) -> int:
    """the suite on PostgreSQL, Redis and RabbitMQ, with a real worker"""
    need_chromium()
    found = start()
    try:
        # More processes than cores: here tests wait for services as often as they work.
        return pytest(report, "-n3", "-m", "services or not (browser or live or door)", environment=addresses(found))
    finally:
        drop_databases(found.urls["postgresql"])
        found.stop()


def browser(report: Path) -> int:
    """the tests that drive Chromium"""
    need_chromium()
    return pytest(report, "-m", "browser and not services", "tests/e2e", environment={})


def door(report: Path) -> int:
    """journeys through the running site: on SQLite; on PostgreSQL, Redis and RabbitMQ, with worker and beat"""
    found = start()
    try:
        return pytest(report, "-n2", "tests/door", environment=addresses(found))
    finally:
        drop_databases(found.urls["postgresql"])
        found.stop()


PARTS = {"sqlite": sqlite, "services": services, "browser": browser, "door": door}


def addresses(found: Services) -> dict[str, str]:
    server, _, _ = found.urls["postgresql"].rpartition("/")
    return {
        "DATABASE_URL": f"{server}/{OWN_NAME}",
        "REDIS_URL": found.urls["redis"],
        "CELERY_BROKER_URL": found.urls["rabbitmq"],
        "CELERY_QUEUE": OWN_NAME,
    }


def pytest(report: Path, *arguments: str, environment: dict[str, str]) -> int:
    # Importing our package named the site's own settings; the option is what outranks the environment.
    options = ["--quiet", "--ds=config.test_settings", f"--junitxml={report}"]
    inherited = {name: value for name, value in os.environ.items() if name not in SERVICE_VARIABLES}
    # A process that is killed cannot remove its files, so all of them go where this one removes them.
    environment = {**inherited, "TMPDIR": str(report.parent), **environment}
    command = [sys.executable, "-m", "pytest", *options, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def drop_databases(url: str) -> None:
    """Drop what a killed test process may have left on a server that is not ours alone."""
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (name,) in connection.execute(query, [f"test_{OWN_NAME}"]).fetchall():
            drop = psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name))
            connection.execute(drop)


def count(report: Path, totals: dict[str, int]) -> None:
    """Add one part's outcomes; a part that wrote no report counts as an error of its own."""
    if not report.exists():
        totals["errors"] += 1
        return
    suite = next(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 (pytest wrote it)
    failures, errors, skipped = (int(suite.get(name, 0)) for name in ("failures", "errors", "skipped"))
    totals["passed"] += int(suite.get("tests", 0)) - failures - errors - skipped
    totals["failed"] += failures
    totals["errors"] += errors
    totals["skipped"] += skipped


def print_summary(totals: dict[str, int], failed: list[str], seconds: float) -> None:
    counted = ", ".join(f"{number} {outcome}" for outcome, number in totals.items() if number or outcome == "passed")
    where = f" (failed: {', '.join(failed)})" if failed else ""
    print(f"\n=== {counted} in {seconds:.0f}s{where} ===")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
