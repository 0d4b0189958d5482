"""
PostgreSQL, Redis and RabbitMQ for the tests: `python -m tools.services start` (or `stop`).

Each is taken from where it is found first: the address in TEST_DATABASE_URL, TEST_REDIS_URL or TEST_BROKER_URL; what
`make services` left running; what answers on the usual port; a private one of our own on a free loopback port, with
Debian's packages installed for it when we are root; Docker. ATELIER_OWN_SERVICES=1 skips what only happens to run.
A PostgreSQL of our own comes first where its programs are installed: it need not wait for the disk.
"""

import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg
from kombu.connection import Connection

from .bootstrap import ROOT, apt_install

STATE = ROOT / "var" / "services.json"
START_SECONDS = 180  # a busy machine takes one of them
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = {
    "postgresql": "postgresql",
    "redis": "redis-server",
    "rabbitmq": "rabbitmq-server",
    "chromium": "chromium",
}


class Missing(Exception):
    """A service can neither be found nor started; the message says what to do."""


@dataclass
class Services:
    """Where the services are, and what has to be ended afterwards because we started it."""

    urls: dict[str, str] = field(default_factory=dict)
    pids: list[int] = field(default_factory=list)
    epmd_port: int = 0
    folder: str = ""
    compose_project: str = ""
    installed: list[str] = field(default_factory=list)

    def stop(self) -> None:
        for pid in self.pids:
            end_group(pid)
        if self.epmd_port:  # Erlang's port mapper makes itself a daemon and outlives RabbitMQ
            environment = {**os.environ, "ERL_EPMD_PORT": str(self.epmd_port)}
            subprocess.run(["epmd", "-kill"], env=environment, stdout=subprocess.DEVNULL, check=False)
        if self.compose_project:
            subprocess.run([*compose(self.compose_project), "down", "--volumes"], input=COMPOSE, text=True, check=False)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def start() -> Services:
    """Find or start all three; whatever was started before a failure is stopped again."""
    services = Services()
    try:
        for name, find in FINDERS.items():
            services.urls[name] = find() or STARTERS[name](services)
    except BaseException:
        services.stop()
        raise
    return services


# --- What runs already ---------------------------------------------------------------------------------------------


def find_postgresql() -> str:
    usual = "" if initdb() else "postgres://postgres@127.0.0.1:5432/postgres"
    for url in candidates("postgresql", "TEST_DATABASE_URL", usual):
        if may_create_databases(url):
            return url
        say(f"PostgreSQL at {url} does not let us create databases, so a private one is used.")
    return ""


def may_create_databases(url: str) -> bool:
    with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=3) as connection:
        row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        return bool(row and row[0])
    return False


def find_redis() -> str:
    # The tests empty whole Redis databases. One that happens to run may hold somebody's data, so it has to be named.
    return next(iter(candidates("redis", "TEST_REDIS_URL", "")), "")


def find_rabbitmq() -> str:
    for url in candidates("rabbitmq", "TEST_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//"):
        try:
            with Connection(url, connect_timeout=3) as connection:
                connection.connect()
                return url
        except Exception as error:  # the transport decides which
            say(f"RabbitMQ at {url} refuses us ({error}), so a private one is used.")
    return ""


def candidates(name: str, variable: str, usual: str) -> list[str]:
    """Return the addresses to try: the one asked for is the only one, and the usual one counts if something answers."""
    if os.environ.get(variable):
        return [os.environ[variable]]
    if os.environ.get("ATELIER_OWN_SERVICES"):
        return []
    left_running = load_state().urls.get(name, "")
    return [url for url in (left_running, usual) if url and answers(url)]


def answers(url: str) -> bool:
    host, _, port = url.split("/")[2].rpartition("@")[2].partition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=2):
        return True
    return False


# --- A private one of each -----------------------------------------------------------------------------------------


def initdb() -> str | None:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    return shutil.which("initdb", path=os.pathsep.join([*map(str, reversed(programs)), os.environ.get("PATH", "")]))


def start_postgresql(services: Services) -> str:
    program = initdb()
    if not program:
        return instead("postgresql", services, start_postgresql)
    data, port = private_folder(services, "postgresql", owner="postgres"), free_port()
    # Under the plain C locale PostgreSQL takes no letter beyond ASCII for one, and full-text search misses the word.
    options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    quiet = {"stdout": subprocess.DEVNULL, "cwd": data, **as_user("postgres")}
    subprocess.run([program, *options, "--pgdata", str(data)], check=True, **quiet)  # type: ignore[call-overload]
    # A test database need not survive a power cut.
    careless = [f"-c{name}=off" for name in ("fsync", "full_page_writes", "synchronous_commit")]
    places = ["-clisten_addresses=127.0.0.1", f"-cport={port}", "-cunix_socket_directories=", "-cmax_connections=200"]
    server = str(Path(program).parent / "postgres")
    launch(services, data, [server, "-D", str(data), *careless, *places], owner="postgres")
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    wait_for("PostgreSQL", data, lambda: may_create_databases(url))
    return url


def start_redis(services: Services) -> str:
    if not shutil.which("redis-server"):
        return instead("redis", services, start_redis)
    folder, port = private_folder(services, "redis"), free_port()
    memory_only = ["--save", "", "--appendonly", "no", "--databases", "64"]
    launch(services, folder, ["redis-server", "--bind", "127.0.0.1", "--port", str(port), *memory_only])
    wait_for("Redis", folder, lambda: answers(f"redis://127.0.0.1:{port}/"))
    return f"redis://127.0.0.1:{port}/1"


def start_rabbitmq(services: Services) -> str:
    # Debian's own wrapper changes the user and drops the environment; the program behind it does neither.
    program = shutil.which("/usr/lib/rabbitmq/bin/rabbitmq-server") or shutil.which("rabbitmq-server")
    if not program:
        return instead("rabbitmq", services, start_rabbitmq)
    folder, port = private_folder(services, "rabbitmq", owner="rabbitmq"), free_port()
    services.epmd_port = free_port()
    (folder / "rabbitmq.conf").write_text(f"listeners.tcp.default = 127.0.0.1:{port}\n")
    (folder / "enabled_plugins").write_text("[].\n")
    environment = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"atelier-{port}@localhost",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "ERL_EPMD_PORT": str(services.epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    launch(services, folder, [program], owner="rabbitmq", environment=environment)
    url = f"amqp://guest:guest@127.0.0.1:{port}//"
    wait_for("RabbitMQ", folder, lambda: accepts_login(url))
    return url


def accepts_login(url: str) -> bool:
    with suppress(Exception), Connection(url, connect_timeout=2) as connection:
        connection.connect()
        return True
    return False


def private_folder(services: Services, name: str, owner: str = "") -> Path:
    if not services.folder:
        services.folder = tempfile.mkdtemp(prefix="atelier-services-")
        Path(services.folder).chmod(0o711)
    folder = Path(services.folder) / name
    folder.mkdir()
    if owner and os.geteuid() == 0:
        shutil.chown(folder, owner)
    return folder


def as_user(name: str) -> dict[str, object]:
    """Return the arguments that make a process of root's run as another user: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(name)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def launch(
    services: Services, folder: Path, command: list[str], *, owner: str = "", environment: dict[str, str] | None = None
) -> None:
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        child = subprocess.Popen(  # type: ignore[call-overload]
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **(as_user(owner) if owner else {}),
        )
    services.pids.append(child.pid)


def wait_for(name: str, folder: Path, is_ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready():
        if time.monotonic() > deadline:
            log = (folder.parent / f"{folder.name}.log").read_text(errors="replace")
            raise Missing(f"{name} did not start within {START_SECONDS} seconds:\n{log[-2000:]}")
        time.sleep(0.1)


def end_group(pid: int) -> None:
    """Ask a process we started, and those it started, to end; insist after ten seconds."""
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal_number)
        for _ in range(50):
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            if not is_alive(pid):
                return
            time.sleep(0.1)


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def free_port() -> int:
    """Return a port for a program about to start: not one of those the kernel lends to whoever asks meanwhile."""
    while True:
        port = random.randrange(11_000, 32_000)  # noqa: S311 (no secret; browsers refuse 10080)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


# --- Where the program is missing ----------------------------------------------------------------------------------


def instead(name: str, services: Services, again: Callable[[Services], str]) -> str:
    """Install the Debian package and try again, or take the service from Docker, or say what to do."""
    if shutil.which("apt-get") and os.geteuid() == 0 and name not in services.installed:
        install_without_starting(name)
        services.installed.append(name)
        return again(services)
    if has_docker():
        return start_container(name, services)
    raise Missing(
        f"{name} neither runs nor is installed. On Debian or Ubuntu: sudo apt-get install {PACKAGES[name]}\n"
        "Or start Docker, or name a running one in TEST_DATABASE_URL, TEST_REDIS_URL or TEST_BROKER_URL."
    )


def install_without_starting(name: str) -> None:
    """Install a Debian package but keep its daemon from starting: we start a private one, and end it."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        apt_install([PACKAGES[name]], "for the tests")
    finally:
        if ours:
            policy.unlink()


COMPOSE = """
services:
  postgresql:
    image: postgres:17
    environment: {POSTGRES_HOST_AUTH_METHOD: trust}
    ports: ["127.0.0.1::5432"]
    healthcheck: {test: [CMD, pg_isready, -U, postgres], interval: 1s, retries: 60}
  redis:
    image: redis:7
    command: [redis-server, --save, "", --databases, "64"]
    ports: ["127.0.0.1::6379"]
  rabbitmq:
    image: rabbitmq:4
    ports: ["127.0.0.1::5672"]
    healthcheck: {test: [CMD, rabbitmq-diagnostics, -q, check_running], interval: 2s, retries: 60}
"""
CONTAINER_URLS = {
    "postgresql": (5432, "postgres://postgres@{}/postgres"),
    "redis": (6379, "redis://{}/1"),
    "rabbitmq": (5672, "amqp://guest:guest@{}//"),
}


def has_docker() -> bool:
    if not shutil.which("docker"):
        return False
    return not subprocess.run(["docker", "compose", "ls"], capture_output=True, check=False).returncode


def compose(project: str) -> list[str]:
    return ["docker", "compose", "--project-name", project, "--file", "-"]


def start_container(name: str, services: Services) -> str:
    services.compose_project = services.compose_project or f"atelier-test-{os.getpid()}"
    command = compose(services.compose_project)
    subprocess.run([*command, "up", "--detach", "--wait", name], input=COMPOSE, text=True, check=True)
    port, url = CONTAINER_URLS[name]
    found = subprocess.run(
        [*command, "port", name, str(port)], input=COMPOSE, text=True, capture_output=True, check=True
    )
    return url.format(found.stdout.strip())


def chromium() -> str | None:
    """Return the path of the browser to drive; CHROMIUM overrides the search."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def need_chromium() -> None:
    if not chromium():
        if not shutil.which("apt-get") or os.geteuid() != 0:
            raise Missing("Chromium is missing. On Debian: sudo apt-get install chromium; or name one in CHROMIUM.")
        apt_install([PACKAGES["chromium"]], "for the browser tests")


FINDERS = {"postgresql": find_postgresql, "redis": find_redis, "rabbitmq": find_rabbitmq}
STARTERS = {"postgresql": start_postgresql, "redis": start_redis, "rabbitmq": start_rabbitmq}

# --- make services, make services-stop -----------------------------------------------------------------------------


def load_state() -> Services:
    with suppress(FileNotFoundError):
        return Services(**json.loads(STATE.read_text()))
    return Services()


def stop_left_running() -> None:
    load_state().stop()
    STATE.unlink(missing_ok=True)


def start_and_leave() -> None:
    earlier = load_state()
    if not all(map(answers, earlier.urls.values())):
        stop_left_running()  # the machine was restarted, or one of them died
        earlier = Services()
    services = earlier if earlier.urls else start()
    STATE.parent.mkdir(exist_ok=True)
    STATE.write_text(json.dumps(asdict(services)))
    need_chromium()
    for name, url in services.urls.items():
        say(f"{name:<12}{url}")
    say(f"{'chromium':<12}{chromium()}")
    if services.pids or services.compose_project:
        say("`make services-stop` ends what was started.")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    try:
        {"start": start_and_leave, "stop": stop_left_running}[sys.argv[1]]()
    except Missing as error:
        sys.exit(str(error))
