"""nginx as docker-compose.yml starts it, on loopback: what it says when it answers by itself, and what it writes down."""

import http.client
import http.server
import os
import re
import select
import shutil
import socket
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

from core.serving.intake import FILE, MEMBERS
from core.tests.waiting import wait_until
from tools.services import free_port

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
OURS = (settings.BASE_DIR / "deploy/nginx.conf").read_text()
AROUND = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/server.log notice;
events {{}}
http {{
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  scgi_temp_path {folder}/scgi;
  uwsgi_temp_path {folder}/uwsgi;
  include {folder}/site.conf;
}}
"""
# Started as root, it would read the files as somebody who may not look into the test's folder.
USER = "" if os.geteuid() else "user root root;"
SECRETS = ("t0ken", "searched", "somebody@example.com")

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")


def configuration(folder: Path, port: int, web: int) -> str:
    """Return our file with what only a container has replaced: names, ports and places."""
    text = OURS.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/dev/stdout", f"{folder}/access.log")
    text = text.replace("/dev/stderr", f"{folder}/requests.log").replace("root /srv", f"root {folder}/srv")
    text = re.sub(r"resolver 127.*\n", "\n", text).replace("server web:8000 resolve", f"server 127.0.0.1:{web}")
    return text.replace("gzip_static on;", "")  # Debian's light one cannot


@pytest.fixture
def web():
    """The port of a site that is away."""
    return free_port()


@pytest.fixture
def nginx(tmp_path, web):
    """The port of an nginx in front of the site."""
    port = free_port()
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv/static").symlink_to(settings.BASE_DIR / "static")
    (tmp_path / "site.conf").write_text(configuration(tmp_path, port, web))
    (tmp_path / "nginx.conf").write_text(AROUND.format(folder=tmp_path, user=USER))
    command = [PROGRAM, "-p", str(tmp_path), "-e", f"{tmp_path}/server.log", "-c", f"{tmp_path}/nginx.conf"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: answers(port), process)
            yield port
        finally:
            process.terminate()


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(port, method, path, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest(method, path)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def written(folder):
    return "".join(path.read_text() for path in folder.glob("*.log"))


def test_files_promise_https_as_long_as_pages_do(nginx):
    promised = []
    for proto in ("https", "http"):
        for path in ("/static/css/base.css", "/static/none.css", "/media/none.webp", "/away/"):
            answer, _body = ask(nginx, "GET", path, {"X-Forwarded-Proto": proto})
            promised.append(answer.getheader("Strict-Transport-Security"))
    days = int(re.search(r'"HSTS_DAYS", default=(\d+)', (settings.BASE_DIR / "config/settings.py").read_text())[1])

    assert promised == [f"max-age={days * 86_400}"] * 4 + [None] * 4


def test_a_site_that_is_away_is_explained_and_nobodys_secrets_are_written_down(nginx, tmp_path):
    for path in (
        "/orders/t0ken/?q=searched",
        "/account/reset/t0ken/?next=somebody@example.com",
        "/account/edit/t0ken",
        "/images/create/?url=searched",
        "/blog/preview/t0ken/",
        "/media/images/t0ken.webp",
        "//account//t0ken",
        "/%61ccount/t0ken",
        "/search/?q=searched",
    ):
        ask(nginx, "GET", path, {"Referer": "http://127.0.0.1/?q=searched"})
    answer, body = ask(nginx, "POST", "/account/login/?next=t0ken", {"Content-Length": "0"})

    assert answer.status == 502
    assert "keeps what you typed" in body
    assert "unsafe-inline" in answer.headers["Content-Security-Policy"]
    log = written(tmp_path)
    assert log.count('"status":502') >= 8
    assert '"path":"/search/"' in log
    assert not [secret for secret in SECRETS if secret in log]
    assert '"GET ' not in log
    assert "127.0.0.1:" not in re.sub(r'"upstream":"[^"]*"', "", log)


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/account/login/", 2_600_000, 413),
        ("/images/create/", 2_600_000, 502),
        ("/images/create/", 13_000_000, 413),
        ("/admin/shop/product/add/", 13_000_000, 502),
        ("/admin/shop/product/add/", 110_000_000, 413),
    ],
)
def test_what_is_too_large_is_refused_with_words_before_it_is_sent(nginx, path, size, status):
    answer, body = ask(nginx, "POST", path, {"Content-Length": str(size), "Expect": "100-continue"})

    assert answer.status == status
    assert "keeps what you typed" in body


def test_an_address_that_is_too_long_is_explained(nginx):
    for path, headers in ((f"/?q={'x' * 40_000}", {}), ("/", {"Cookie": "x" * 40_000})):
        answer, body = ask(nginx, "GET", path, headers)

        assert answer.status in (400, 414)
        assert "This address is too long" in body


class TestManyConnections:
    @pytest.fixture
    def web(self):
        """A site that takes every connection and never answers."""
        with socket.create_server(("127.0.0.1", 0), backlog=300) as server:
            yield server.getsockname()[1]

    def test_one_visitor_holds_no_more_of_them_by_making_up_addresses(self, nginx):
        with ExitStack() as stack:
            connections = [stack.enter_context(socket.create_connection(("127.0.0.1", nginx))) for _ in range(120)]
            for number, connection in enumerate(connections):
                forwarded = f"X-Forwarded-For: 198.51.100.{number}, 203.0.113.7"
                connection.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\n{forwarded}\r\n\r\n".encode())
            answered = []
            while len(answered) < 20:
                ready, _, _ = select.select(connections, [], [], 30)
                assert ready, f"{len(answered)} of 120 were refused"
                answered += [connection.recv(4096)[:12] for connection in ready]
                connections = [connection for connection in connections if connection not in ready]

        assert set(answered) == {b"HTTP/1.1 429"}


def test_nginx_and_the_site_agree_about_sizes():
    sizes = re.findall(r"client_max_body_size (\d+)([km])", OURS)
    allowed = [int(number) * {"k": 1024, "m": 1024**2}[unit] for number, unit in sizes]

    assert all(theirs >= ours for theirs, ours in zip(allowed, (MEMBERS, FILE, 100_000_000), strict=True))


def test_proxies_keep_the_pictures_of_the_shop_and_none_of_members(nginx, tmp_path):
    kept = {}
    for folder in ("images", "products"):
        place = tmp_path / "srv" / "media" / folder
        place.mkdir(parents=True)
        (place / "a.webp").write_text("x")
        answer, _body = ask(nginx, "GET", f"/media/{folder}/a.webp")
        kept[folder] = (answer.status, answer.headers["Cache-Control"])

    assert kept == {"images": (200, "private, max-age=3600"), "products": (200, "public, max-age=3600")}


class Cookies(http.server.BaseHTTPRequestHandler):
    """A site that says which cookies it was sent."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers.get("Cookie", "none").encode("latin-1"))

    def log_message(self, *arguments):
        pass


class TestCookiesOfOthers:
    @pytest.fixture
    def web(self):
        with http.server.HTTPServer(("127.0.0.1", 0), Cookies) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield server.server_port
            server.shutdown()
            thread.join()

    @pytest.mark.parametrize(
        ("sent", "arrives"),
        [
            ("a=b; sessionid=abc1; c=d", "a=b; sessionid=abc1; c=d"),
            ("name=Zoë; sessionid=abc1; c=d", "sessionid=abc1"),
            ("__Host-sessionid=abc1; name=日本", "__Host-sessionid=abc1"),
            ("mysessionid=abc1; name=é", "none"),
            ("name=é", "none"),
            ("", "none"),
        ],
    )
    def test_a_cookie_that_is_not_ascii_costs_nobody_their_session(self, nginx, sent, arrives):
        assert ask(nginx, "GET", "/", {"Cookie": sent.encode()} if sent else {})[1] == arrives
