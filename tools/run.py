"""
The whole site on one machine, for `make run`: database, demo content, web server, local Stripe and sweeps.

Everything started here ends with this program, however it ends. A value in the environment or in `.env` wins over the
ones chosen here.
"""

import argparse
import io
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError

from core.env import env, flag

from .bootstrap import ROOT
from .last_will import STOP_SECONDS

HOST = "127.0.0.1"
START_SECONDS = 30


def main() -> int:
    parser = argparse.ArgumentParser(prog="make run", description="Run the site on this machine.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--reload", action="store_true", help="use Django's own server, which reloads changed code")
    options = parser.parse_args()
    if is_taken(options.port):
        other = free_port(options.port + 1)
        print(f"Port {options.port} is taken by another program. Stop it, or choose another: make run PORT={other}")
        return 1
    # All three end as Ctrl-C does, which a shell makes its background jobs ignore unless they ask for it.
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, signal.default_int_handler)
    try:
        return serve(options.port, reload=options.reload)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0
    except (ImproperlyConfigured, SystemCheckError, DatabaseError, OSError) as error:
        print(f"Atelier cannot start. {error}")
        return 1


def serve(port: int, *, reload: bool) -> int:
    simulator_port = choose_environment(port)
    prepare()
    commands = {"The web server": web_server(port, reload=reload)}
    if simulator_port:
        commands["The local Stripe"] = manage("stripe_simulator", "--port", str(simulator_port))
    with running(commands) as children:
        if not wait_until_ready(port, children) or (simulator_port and not wait_until_ready(simulator_port, children)):
            return 1
        print_welcome(port, simulator_port)
        with sweeping():
            return watch(children)


def choose_environment(port: int) -> int | None:
    """Set what neither the environment nor `.env` says; return the local Stripe's port when there is to be one."""
    chosen = {"DEBUG": "true", "SITE_URL": f"http://{HOST}:{port}"}
    simulator_port = None
    if env("DEBUG", default=True, cast=flag) and not env("STRIPE_SECRET_KEY"):
        simulator_port = free_port(port + 1)
        chosen["STRIPE_SECRET_KEY"] = f"sk_test_{secrets.token_hex(12)}"
        chosen["STRIPE_WEBHOOK_SECRET"] = f"whsec_{secrets.token_hex(16)}"
        chosen["STRIPE_API_BASE"] = f"http://{HOST}:{simulator_port}"
    os.environ.update({name: value for name, value in chosen.items() if not env(name)})
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    return simulator_port


def prepare() -> None:
    """Bring the database up to date; fill an empty one with demo content."""
    django.setup()
    call_command("migrate", verbosity=0)
    if not settings.DEBUG:
        call_command("collectstatic", interactive=False, verbosity=0)
    if settings.DEBUG:
        from demo.fill import is_empty  # has models: they wait for setup()

        if is_empty():
            call_command("demo", stdout=io.StringIO())


def web_server(port: int, *, reload: bool) -> list[str]:
    if reload:
        return manage("runserver", f"{HOST}:{port}")
    one = ["--workers", "1"]  # process: limits are counted in its memory
    limits = ["--http", "1", "--no-ws", "--http1-header-read-timeout", "10000", "--http1-buffer-size", "65536"]
    address = ["--host", HOST, "--port", str(port)]
    logs = ["--no-log"] if os.environ.get("MAKELEVEL") else []
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "rsgi",
        *address,
        *one,
        *limits,
        *logs,
        "config.rsgi:application",
    ]


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


@contextmanager
def running(commands: dict[str, list[str]]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start the commands, each with a process group of its own, and end the groups when the block ends, however it ends."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    with ExitStack() as stack:
        try:
            for name, command in commands.items():
                children[name] = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
            stack.enter_context(last_will(list(children.values())))
            yield children
        finally:
            for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(signal_number, ignore)  # a second Ctrl-C must not leave half of them running
            end(list(children.values()))


@contextmanager
def last_will(children: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Have them ended though this program is killed outright and cannot do so itself."""
    groups = [str(child.pid) for child in children]
    command = [sys.executable, "-m", "tools.last_will", *groups]
    will = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        will.kill()
        will.communicate()


def ignore(_signal_number: int, _frame: FrameType | None) -> None:
    pass


def end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0, deadline - time.monotonic()))
        signal_group(child, signal.SIGKILL)  # what is left of the group, such as a worker that hangs
        child.wait()


def signal_group(child: subprocess.Popen[bytes], signal_number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal_number)


@contextmanager
def sweeping() -> Iterator[None]:
    from core.jobs import sweeps  # has models: they wait for setup()

    stop = threading.Event()
    thread = threading.Thread(target=sweeps.run_on_time, args=(stop,), daemon=True, name="sweeps")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(2)  # a longer sweep is cut off, which any of them bears


def wait_until_ready(port: int, children: dict[str, subprocess.Popen[bytes]]) -> bool:
    """Wait until somebody answers at this port; say why when nobody does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not ended(children):
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=5):
                return True
        except urllib.error.HTTPError:
            return True  # it answers; what is wrong with the answer is for the browser to show
        except OSError:
            time.sleep(0.1)
    print(ended(children) or f"Nothing answered at port {port} within {START_SECONDS} seconds.")
    return False


def watch(children: dict[str, subprocess.Popen[bytes]]) -> int:
    """Wait until a child ends, which none should; also end when `make` was killed and could not tell us."""
    parent = os.getppid()
    while not ended(children) and os.getppid() == parent:
        time.sleep(0.5)
    print(ended(children) or "The program that started this one has ended.")
    return 1


def ended(children: dict[str, subprocess.Popen[bytes]]) -> str:
    """Return a sentence about the first child that has ended, or nothing."""
    for name, child in children.items():
        if child.poll() is not None:
            return f"{name} ended by itself (exit code {child.returncode}); stopping the rest."
    return ""


def print_welcome(port: int, simulator_port: int | None) -> None:
    site = f"http://{HOST}:{port}"
    lines = [("Site", f"{site}/"), ("Staff", f"{site}/admin/")]
    if simulator_port:
        lines.append(("Local Stripe", f"http://{HOST}:{simulator_port}/ (pay with 4242 4242 4242 4242)"))
    lines += demo_logins()
    print("\nAtelier is running; Ctrl-C ends it.\n")
    for name, value in lines:
        print(f"  {name:<16}{value}")
    print(flush=True)


def demo_logins() -> list[tuple[str, str]]:
    # They have models, which wait for setup().
    from demo.accounts import with_known_password
    from demo.people import PASSWORD

    accounts = with_known_password()
    lines = [
        (f"Log in, {'staff' if user.is_staff else 'member'}", f"{user.username} / {PASSWORD}") for user in accounts
    ]
    return [*lines, ("A reader", "needs no login, nor does a buyer")] if lines else []


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False


def free_port(first: int) -> int:
    return next(port for port in range(first, first + 100) if not is_taken(port))


if __name__ == "__main__":
    sys.exit(main())
