"""
Running sites for bench/mix.py: ours, and that of any other commit in a temporary worktree, with the same rows.

Each has a database, a folder and with PostgreSQL a Redis of its own, the environment of production as behind a proxy
(docker-compose.yml), two web workers, and its sweeps beside them. Whatever is started or made here ends with the block.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import psycopg

from bench._timing import group_cpu, processes_cpu
from tools.bootstrap import ROOT
from tools.run import end
from tools.services import STARTERS, Missing, Services, answers, find_postgresql, free_port

APART = ROOT / "bench" / "_apart"
SIZES = {  # posts, pictures, products
    "large": (100_000, 100_000, 100_000),
    "small": (300, 500, 60),
    "thousand": (1100, 1100, 1100),
}
NOTE = struct.Struct("<fBxxx")  # as in bench/_apart/mix_served.py: CPU seconds; 1 when Django was not called
MOST_REQUESTS = 1_000_000
START_SECONDS = 60
LIMITS = ["--http", "1", "--no-ws", "--http1-header-read-timeout", "10000", "--http1-buffer-size", "65536"]
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "false", "SECRET_KEY": "bench-" + "0123456789abcdef" * 4,
    "SITE_URL": "https://atelier.example", "ALLOWED_HOSTS": "atelier.example,127.0.0.1", "BEHIND_TLS_PROXY": "true",
    "PROXY_COUNT": "1", "STRIPE_SECRET_KEY": "sk_live_bench", "STRIPE_WEBHOOK_SECRET": "whsec_bench", "STRIPE_API_BASE": "",
    "EMAIL_URL": "smtp+tls://127.0.0.1:9", "SELLER_NAME": "Atelier", "SELLER_ADDRESS": "1 Street|12345 Town",
    "SELLER_VAT_ID": "DE123456788", "CELERY_BROKER_URL": "", "LOG_FORMAT": "json",
}  # fmt: skip


class CannotStart(Exception):
    """A site that cannot be measured; the message says why."""


@dataclass
class Site:
    name: str
    tree: Path
    python: str
    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    places: dict[str, Any] = field(default_factory=dict)
    web: int = 0  # the process group of the web server

    def run(self, *arguments: str) -> str:
        ended = subprocess.run(
            [self.python, *arguments], cwd=self.tree, env=self.environment, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise CannotStart(f"{self.name}: {' '.join(arguments)} fails:\n{ended.stderr[-1500:]}")
        return ended.stdout

    def fill(self, size: str) -> None:
        self.run("manage.py", "migrate", "--verbosity", "0")
        self.run("manage.py", "collectstatic", "--no-input", "--verbosity", "0")
        self.places = json.loads(self.run(str(APART / "mix_fill.py"), *map(str, SIZES[size])))

    @contextmanager
    def serving(self) -> Iterator[None]:
        with (self.folder / "notes").open("wb") as notes:
            notes.truncate(MOST_REQUESTS * NOTE.size)
        is_rsgi = (self.tree / "config" / "rsgi.py").exists()
        self.environment |= {
            "MIX_NOTES": str(self.folder / "notes"), "MIX_SITE": "config.rsgi" if is_rsgi else "config.wsgi",
        }  # fmt: skip
        kind = (
            ["--interface", "rsgi", *LIMITS]
            if is_rsgi
            else ["--interface", "wsgi", "--blocking-threads", "4", "--no-ws"]
        )
        address = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "2"]
        granian = [self.python, "-m", "granian", *kind, *address, "mix_served:application"]
        with started(granian, self) as web, started([self.python, str(APART / "mix_sweeps.py")], self):
            self.web = web.pid
            begun = time.monotonic()
            while not answers(f"http://127.0.0.1:{self.port}"):
                if web.poll() is not None or time.monotonic() > begun + START_SECONDS:
                    raise CannotStart(f"{self.name} does not start:\n{(self.folder / 'log').read_text()[-1500:]}")
                time.sleep(0.1)
            yield

    def cpu(self) -> float:
        """Return the CPU seconds of the web server's processes."""
        return group_cpu(self.web)

    def database_cpu(self) -> float:
        """Return the CPU seconds of the PostgreSQL processes that answer this site; the parallel ones are not seen."""
        url = self.environment["DATABASE_URL"]
        if not url:
            return 0.0
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with psycopg.connect(url) as connection:
            return processes_cpu([number for (number,) in connection.execute(asked)])


def notes_of(measured: Site, numbers: list[int]) -> list[tuple[float, bool]]:
    """Return the CPU seconds of each of these requests, and whether it was answered from memory."""
    notes = (measured.folder / "notes").read_bytes()
    found = (NOTE.unpack_from(notes, number * NOTE.size) for number in numbers)
    return [(seconds, kind == 1) for seconds, kind in found]


@contextmanager
def started(command: list[str], site: Site) -> Iterator[subprocess.Popen[bytes]]:
    with (site.folder / "log").open("ab") as log:
        child = subprocess.Popen(
            command, cwd=site.tree, env=site.environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield child
    finally:
        end([child])


@contextmanager
def site(revision: str, database: str, size: str) -> Iterator[Site]:
    """Make the site of a revision ("" for the tree as it is), filled and answering."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atelier-mix-")))
        tree = stack.enter_context(worktree(revision, folder)) if revision else ROOT
        python = python_for(tree)
        # PYTHONPATH, not the script's folder: beside bench/search.py stand modules named like apps.
        environment = {**os.environ, **PRODUCTION, "VAR_DIR": str(folder / "var"), "PYTHONPATH": f"{APART}:{tree}"}
        environment |= {"DATABASE_URL": "", "REDIS_URL": "", "PYTHONSAFEPATH": "1"}
        if database == "postgresql":
            environment["DATABASE_URL"] = stack.enter_context(own_database())
            environment["REDIS_URL"] = stack.enter_context(own_redis(folder))
        made = Site(revision or "this", tree, python, folder, environment)
        made.fill(size)
        stack.enter_context(made.serving())
        yield made


@contextmanager
def worktree(revision: str, folder: Path) -> Iterator[Path]:
    tree = folder / "tree"
    added = subprocess.run(
        ["git", "worktree", "add", "--quiet", "--detach", str(tree), revision],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if added.returncode:
        raise CannotStart(f"git knows no revision {revision}: {added.stderr.strip()}")
    try:
        yield tree
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=False)


def python_for(tree: Path) -> str:
    """Return our own Python where the revision needs the same packages, else one with those that it has pinned."""
    wanted = tree / "requirements" / "base.txt"
    same = wanted.read_bytes() == (ROOT / "requirements" / "base.txt").read_bytes()
    return sys.executable if same else python_with(wanted)


def python_with(wanted: Path) -> str:
    """Return the Python of a virtual environment with these packages; it is kept for the next time."""
    venv = ROOT / "var" / f"bench-{blake2b(wanted.read_bytes(), digest_size=8).hexdigest()}"
    python = str(venv / "bin" / "python")
    if not (venv / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", str(wanted)]
        if subprocess.run(pip, capture_output=True, check=False).returncode:
            raise CannotStart(f"The packages pinned in {wanted} cannot be installed.")
        (venv / "complete").touch()
    return python


@contextmanager
def own_database() -> Iterator[str]:
    """On the server of the tests: one that runs already, or one started for it."""
    services = Services()
    try:
        url = find_postgresql() or STARTERS["postgresql"](services)
        server, name = url.rpartition("/")[0], f"atelier_mix_{os.getpid()}_{time.monotonic_ns()}"
        with closing(psycopg.connect(f"{server}/postgres", autocommit=True)) as admin:
            admin.execute(f"CREATE DATABASE {name}")
            try:
                yield f"{server}/{name}"
            finally:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    except Missing as reason:
        raise CannotStart(str(reason)) from None
    finally:
        services.stop()


@contextmanager
def own_redis(folder: Path) -> Iterator[str]:
    """Run a Redis for one site: in a shared one two sites would hear of each other's writes."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    try:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        raise CannotStart("redis-server is not installed here; it is wanted with PostgreSQL.") from None
    try:
        while not answers(f"redis://127.0.0.1:{port}"):
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        child.terminate()
        child.wait()
