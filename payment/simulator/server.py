"""The HTTP server: who answers which address, on loopback and nowhere else."""

import json
import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from . import control, panel, pay_page
from .api import Api, ConnectionCut
from .courier import BACKOFF, Courier, Endpoint
from .faults import Faults
from .ledger import Ledger
from .pay_page import Page

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_BODY = 1_000_000


class Simulator:
    """
    One local Stripe. `port` 0 takes a free one; `path` is the file that keeps its books over a restart.

    `settle_after` is how many seconds a bank payment, or a refund that waits or comes back, takes; None leaves it to the
    test. `webhook_secret` may be several with commas between: as many endpoints at the same address.
    """

    ledger: Ledger
    courier: Courier

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        webhook_url: str = "",
        port: int = 0,
        path: Path | None = None,
        backoff: tuple[float, ...] = BACKOFF,
        settle_after: float | None = None,
    ) -> None:
        self.faults = Faults()
        self.settle_after = settle_after
        self.closing = threading.Event()
        secret, *others = [one.strip() for one in webhook_secret.split(",")]
        self.courier = Courier(url=webhook_url, secret=secret, faults=self.faults, backoff=backoff)
        self.courier.others = [Endpoint(webhook_url, other) for other in others if other]
        self.ledger = Ledger(tell=self.courier.tell, faults=self.faults, path=path)
        self.api = Api(self.ledger, secret_key=api_key, wait=self.closing.wait, deliver=self.courier.drain)
        self._server = _Server((HOST, port), _Handler)
        self._server.simulator = self
        self.url = self.ledger.base_url = f"http://{HOST}:{self._server.server_address[1]}"
        self._threads = [
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True),
            threading.Thread(target=self._watch_the_clock, daemon=True),
        ]

    def __enter__(self) -> Self:
        self.courier.start()
        for thread in self._threads:
            thread.start()
        self._go_on_settling()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self.courier.stop()

    def pay_by_bank(self, session_id: str, *, arrives: bool) -> None:
        self.ledger.pay(session_id, method="sepa_debit")
        self._settle_later(session_id, arrives=arrives)

    def _go_on_settling(self) -> None:
        """Let the bank payments arrive that were on their way when the simulator last ended."""
        for session in list(self.ledger.sessions.values()):
            if session["status"] == "complete" and session["payment_status"] == "unpaid":
                self._settle_later(session["id"], arrives=True)

    def _settle_later(self, session_id: str, *, arrives: bool) -> None:
        if self.settle_after is not None:
            timer = threading.Timer(self.settle_after, self.ledger.settle, [session_id], {"arrived": arrives})
            timer.daemon = True
            timer.start()

    def _watch_the_clock(self) -> None:
        while not self.closing.wait(1):
            self.ledger.expire_due()
            if self.settle_after is not None:
                self.ledger.finish_refunds(older_than=self.settle_after)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    simulator: Simulator


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet an answer: two small ones wait 40 ms for each other on a kept connection.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)

    def _answer(self, method: str) -> None:
        parts = urlsplit(self.path)
        body = self._body()
        if body is None or not self._is_local():
            self._send_page(Page(400, pay_page.message("This request is too large or not for this machine.")))
        elif parts.path.startswith("/v1/"):
            self._answer_api(method, parts.path, parts.query if method == "GET" else body)
        elif parts.path.startswith("/_control/"):
            self._answer_control(method, parts.path, body)
        else:
            form = {name: values[0] for name, values in parse_qs(body).items()}
            page = panel.answer(self.server.simulator, method, parts.path, form)
            self._send_page(page or pay_page.answer(self.server.simulator, method, parts.path, form))

    def _answer_api(self, method: str, path: str, encoded: str) -> None:
        try:
            reply = self.server.simulator.api.answer(method, path, encoded, self.headers)
        except ConnectionCut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(reply.status, "application/json", json.dumps(reply.body).encode(), reply.headers)

    def _answer_control(self, method: str, path: str, body: str) -> None:
        # A page on another site can post a form here but not JSON: the browser would ask first and get no yes.
        if method == "POST" and self.headers.get("Content-Type") != "application/json":
            status, answer = 415, {"error": "send application/json"}
        else:
            status, answer = control.answer(self.server.simulator, method, path, json.loads(body or "{}"))
        self._send(status, "application/json", json.dumps(answer).encode(), {})

    def _body(self) -> str | None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            return None
        return self.rfile.read(length).decode("utf-8", "replace")

    def _is_local(self) -> bool:
        """Refuse a name that someone else's DNS points at this machine."""
        return self.headers.get("Host", "").rpartition(":")[0] in (HOST, "localhost")

    def _send_page(self, page: Page) -> None:
        self._send(page.status, page.kind, page.body.encode(), page.headers)

    def _send(self, status: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:  # the other side gave up waiting
            self.close_connection = True
