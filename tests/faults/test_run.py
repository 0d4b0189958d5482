"""`make run` ends what it started, however it ends, and says plainly what is in its way."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from account.tests.factories import make_user
from core.tests.waiting import wait_until
from demo.people import PASSWORD
from tests import processes
from tools.run import demo_logins, is_taken
from tools.services import free_port


def command(port):
    return [processes.PYTHON, "-m", "tools.run", "--port", str(port)]


@pytest.fixture
def port(transactional_db):
    make_user("alice")  # a site that is in use gets no demo content
    return free_port()


def site_running(port, log):
    return processes.started(*command(port), log=log, env=processes.environment(STRIPE_SECRET_KEY=""))


def said(log):
    return (processes.ARTIFACTS / log).read_text()


def stripe_port(log):
    return int(re.search(r"Local Stripe +http://127.0.0.1:(\d+)/", said(log))[1])


def test_the_logins_it_prints_are_those_to_type(transactional_db):
    for name in ("anna", "staff"):
        user = make_user(name, first_name="Full", last_name="Name", staff=name == "staff")
        user.set_password(PASSWORD)
        user.save()

    assert [said for _role, said in demo_logins()[:2]] == [f"staff / {PASSWORD}", f"anna / {PASSWORD}"]


def test_interrupting_it_ends_the_server_and_the_local_stripe(port):
    with site_running(port, "run-interrupted.log") as run:
        wait_until(lambda: "Atelier is running" in said("run-interrupted.log"), run)
        assert is_taken(port)
        run.send_signal(signal.SIGINT)
        assert run.wait(200) == 0

    assert not is_taken(port)
    assert not is_taken(stripe_port("run-interrupted.log"))


def test_a_server_that_dies_takes_the_rest_along_with_a_word(port):
    with site_running(port, "run-died.log") as run:
        wait_until(lambda: "Atelier is running" in said("run-died.log"), run)
        server, *_ = map(int, Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split())
        os.kill(server, signal.SIGKILL)
        assert run.wait(200) == 1

    assert "The web server ended by itself" in said("run-died.log")
    assert not is_taken(stripe_port("run-died.log"))


def test_a_taken_port_is_said_plainly():
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        result = subprocess.run(command(port), cwd=processes.ROOT, capture_output=True, text=True)

    assert result.returncode == 1
    assert result.stdout.startswith(f"Port {port} is taken")


def test_killing_it_outright_ends_the_server_and_the_local_stripe(port):
    log = "run-killed.log"
    with site_running(port, log) as run:
        wait_until(lambda: "Atelier is running" in said(log), run)
        stripe = stripe_port(log)
        run.kill()
        run.wait()
        wait_until(lambda: not is_taken(port) and not is_taken(stripe))


def test_a_server_that_does_not_heed_is_ended_with_force(tmp_path):
    """A web server was once told three times at once when its parent was killed, by each of its threads, and hung."""
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    with subprocess.Popen([processes.PYTHON, "-c", deaf], stdout=subprocess.PIPE, start_new_session=True) as server:
        server.stdout.readline()
        will = [processes.PYTHON, "-m", "tools.last_will", str(server.pid)]
        subprocess.run(will, stdin=subprocess.DEVNULL, check=True, timeout=60)

        assert server.wait(60) == -signal.SIGKILL
