"""The site as docker-compose.yml runs it, on services of its own that may be stopped, hung, filled and started again."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis

from core.tests.sink import Sink
from core.tests.waiting import wait_until
from mail.tests.smtp_server import smtp_server
from tests.door.letters import Letters
from tests.door.site import GOOGLE_CLIENT, GoogleServer, Site
from tests.processes import ARTIFACTS
from tools import services as own

from .certificates import write_certificate
from .proxy import Proxy

ENCRYPTED = "250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN"
DISK = "size=600m"  # for a PostgreSQL that may run out of it
GOODS = """
from decimal import Decimal
from shop.tests.factories import make_product
print(make_product(price=Decimal("12.50"), stock=10_000).pk)
"""


def family_of(pid: int) -> list[int]:
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def forbid_files(pids: list[int], limit: str) -> None:
    """Let the processes' files grow to so many bytes at most: with 0, every write fails as on a full disk."""
    for pid in pids:
        subprocess.run(["prlimit", f"--fsize={limit}:unlimited", "--pid", str(pid)], check=False, capture_output=True)


class Daemon:
    """A service of our own, known by its process, which can be stopped for a while and started as it was."""

    def __init__(self, url: str, services: own.Services, command: list[str] | None = None) -> None:
        self.url, self.services = url, services
        (self.pid,) = services.pids
        self.child: subprocess.Popen[bytes] | None = None
        place = Path(f"/proc/{self.pid}")
        self.command = command or place.joinpath("cmdline").read_text().split("\0")[:-1]
        lines = place.joinpath("environ").read_text().split("\0")
        self.environment = dict(line.split("=", 1) for line in lines if "=" in line)
        self.folder, self.user = place.joinpath("cwd").readlink(), place.stat().st_uid

    @contextmanager
    def hung(self) -> Iterator[None]:
        family = family_of(self.pid)
        self._tell(family, signal.SIGSTOP)
        try:
            yield
        finally:
            self._tell(family, signal.SIGCONT)

    def _tell(self, family: list[int], number: signal.Signals) -> None:
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        os.kill(self.pid, signal.SIGINT)  # PostgreSQL's quick shutdown; Redis takes it for SIGTERM
        while own.is_alive(self.pid):
            with suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)
            time.sleep(0.05)
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        self.child = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, user=self.user, **quiet)
        self.pid = self.child.pid
        self.services.pids[:] = [self.pid]
        wait_until(lambda: own.answers(self.url))

    def wait(self) -> None:
        if self.child:
            self.child.wait()


class Disk:
    """A small disk in memory for one service; `is_real` only where we may mount one."""

    def __init__(self, services: own.Services) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="atelier-disk-"))
        command = ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(self.folder)]
        self.is_real = not subprocess.run(command, check=False, capture_output=True).returncode
        self.folder.chmod(0o711)  # the service is another user
        services.folder = str(self.folder)

    def unmount(self) -> None:
        if self.is_real:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)
            self.folder.rmdir()

    @contextmanager
    def full(self) -> Iterator[None]:
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        try:
            yield
        finally:
            filler.unlink()


class World:
    """The running site and what it stands on."""

    def __init__(self, stack: ExitStack, folder: Path, **settings: str) -> None:
        self.refused: list[str] = []  # addresses that the mail server does not know
        self.next_addresses: list[str] = []
        self.orders = 0
        self.stack = stack
        urls = self._start_services(folder)
        self.smtp = stack.enter_context(smtp_server(EHLO=ENCRYPTED, AUTH="235 welcome"))
        self.smtp.tls = write_certificate(folder / "mail.pem")
        self.other_certificate = write_certificate(folder / "other.pem")
        self.smtp_proxy = stack.enter_context(Proxy(self.smtp.server_address))
        letters = Letters(self.smtp)
        letters.url = f"smtp+tls://shop:secret@127.0.0.1:{self.smtp_proxy.port}"
        google, web = (
            stack.enter_context(closing(server)) for server in (GoogleServer(GOOGLE_CLIENT, in_process=False), Sink())
        )
        given = {**urls, "CELERY_QUEUE": "faults", "SSL_CERT_FILE": str(folder / "mail.pem"), **settings}
        self.site = Site("faults", folder, letters, google=google, elsewhere=web, services=given)
        stack.enter_context(self.site.running())
        # What is started again ends after the watching has, or the two would go on for ever.
        again_started = stack.enter_context(ExitStack())
        stack.enter_context(self.restarting(again_started))
        self.product = self.site.runs("shell", "-v0", "-c", GOODS).strip()

    def _start_services(self, folder: Path) -> dict[str, str]:
        postgresql, its_redis, rabbitmq = each = [own.Services() for _ in range(3)]
        self.disk, self.daemons = Disk(postgresql), list[Daemon]()
        self.stack.callback(self._stop_services, each)
        starters = (own.start_postgresql, own.start_redis, own.start_rabbitmq)
        with ThreadPoolExecutor() as pool:
            urls = list(pool.map(lambda pair: pair[0](pair[1]), zip(starters, each, strict=True)))
        port = str(urlsplit(urls[1]).port)  # Redis writes a title over its command
        again = ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"]
        self.postgresql = Daemon(urls[0], postgresql)
        self.redis = Daemon(urls[1], its_redis, [*again, "--databases", "64"])
        self.rabbitmq = Daemon(urls[2], rabbitmq)
        self.daemons += [self.postgresql, self.redis, self.rabbitmq]
        return dict(zip(("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"), urls, strict=True))

    def _stop_services(self, each: list[own.Services]) -> None:
        for services in each:
            services.stop()
        for daemon in self.daemons:
            daemon.wait()
        self.disk.unmount()

    @contextmanager
    def restarting(self, stack: ExitStack) -> Iterator[None]:
        """Start again what has died, as Docker does with `restart: unless-stopped`."""
        ended = threading.Event()
        self.deaths: list[str] = []

        def watch() -> None:
            while not ended.wait(0.5):
                for name in ("worker", "beat", "web"):
                    child = self.process(name)
                    if child.poll() is not None:
                        self.deaths.append(name)
                        log = ARTIFACTS / f"door-{self.site.name}-{name}.log"
                        log.rename(log.with_suffix(f".{len(self.deaths)}.log"))
                        self.site._start(stack, name, child.args)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            ended.set()
            watching.join()

    def ask_redis(self, *words: str) -> None:
        with redis.Redis.from_url(self.redis.url) as client:
            client.execute_command(*words)

    def ask_postgresql(self, query: str) -> None:
        with psycopg.connect(self.postgresql.url, autocommit=True) as outside:
            outside.execute(query)

    def rabbitmqctl(self, *words: str) -> None:
        command = ["/usr/lib/rabbitmq/bin/rabbitmqctl", *words]
        daemon = self.rabbitmq
        subprocess.run(command, env=daemon.environment, user=daemon.user, check=True, capture_output=True)

    def process(self, name: str) -> subprocess.Popen[bytes]:
        number = max(index for index, log in enumerate(self.site.logs) if log.endswith(f"-{name}.log"))
        return self.site.processes[number]

    def count(self, query: str, *values: object) -> int:
        return int(str(self.site.rows(query, *values)[0][0]))
