"""Carries signed events to the shop's webhook: again and again until it says 2xx, each time signed anew."""

import hashlib
import hmac
import http.client
import json
import logging
import queue
import random
import threading
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from .faults import Faults
from .objects import Json

logger = logging.getLogger(__name__)

# Seconds between tries. Stripe's own go on for three days; a developer's patience ends sooner.
BACKOFF = (0.5, 2, 5, 15, 30, 60, 60, 120, 300, 600, 1800, 3600)
TIMEOUT = 20
WORKERS = 8


def sign(body: bytes, secret: str, *, at: int) -> str:
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return mac.hexdigest()


class Endpoint(NamedTuple):
    """A webhook's address and the secret that signs what goes there."""

    url: str
    secret: str


class Courier:
    """
    A few threads and a queue. `outcomes` keeps every answer the webhook gave, for tests to read.

    `others` are endpoints besides the first: each gets every event, signed with its own secret.
    """

    def __init__(self, *, url: str, secret: str, faults: Faults, backoff: tuple[float, ...] = BACKOFF) -> None:
        self.url = url
        self.secret = secret
        self.others: list[Endpoint] = []
        self.faults = faults
        self.backoff = backoff
        self.outcomes: list[int] = []
        self.held: list[Json] = []
        self._due: queue.PriorityQueue[tuple[float, float, tuple[Json, Endpoint] | None, int]] = queue.PriorityQueue()
        self._pending = 0
        self._idle = threading.Condition()
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._closing.set()
        for _ in self._threads:
            self._due.put((0, random.random(), None, 0))  # noqa: S311 (a tie-breaker)
        for thread in self._threads:
            thread.join(TIMEOUT)

    def tell(self, event: Json) -> None:
        """Take an event for delivery, as the faults have it."""
        if self.faults.drop:
            return
        if self.faults.hold:
            self.held.append(event)
            return
        for endpoint in self._endpoints():
            for _ in range(self.faults.duplicate):
                self._enqueue((event, endpoint), self.faults.delay, 0)

    def _endpoints(self) -> list[Endpoint]:
        return [endpoint for endpoint in (Endpoint(self.url, self.secret), *self.others) if endpoint.url]

    def release(self, *, shuffled: bool = True) -> None:
        """Deliver what `hold` kept back, in random order."""
        events, self.held = self.held, []
        if shuffled:
            random.shuffle(events)
        for event in events:
            for endpoint in self._endpoints():
                self._enqueue((event, endpoint), 0, 0)

    def drain(self, timeout: float = 30) -> bool:
        """Wait until nothing is queued or under way; False when that takes longer than `timeout` seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: self._pending == 0, timeout)

    def _enqueue(self, letter: tuple[Json, Endpoint], delay: float, tried: int) -> None:
        with self._idle:
            self._pending += 1
        self._due.put((time.monotonic() + delay, random.random(), letter, tried))  # noqa: S311 (a tie-breaker)

    def _work(self) -> None:
        while not self._closing.is_set():
            at, tie, letter, tried = self._due.get()
            if letter is None:
                return
            early = at - time.monotonic()
            if early > 0:
                # Something due sooner may come in meanwhile: look again shortly.
                self._due.put((at, tie, letter, tried))
                self._closing.wait(min(early, 0.05))
                continue
            self._try(letter, tried)
            with self._idle:
                self._pending -= 1
                self._idle.notify_all()

    def _try(self, letter: tuple[Json, Endpoint], tried: int) -> None:
        try:
            status = self._post(*letter)
        except (OSError, http.client.HTTPException) as error:
            logger.info("%s was not delivered: %s", letter[0]["type"], error)
            status = 0
        self.outcomes.append(status)
        if not 200 <= status < 300 and tried < len(self.backoff) and not self._closing.is_set():
            self._enqueue(letter, self.backoff[tried], tried + 1)

    def _post(self, event: Json, endpoint: Endpoint) -> int:
        body = json.dumps(event).encode()
        parts = urlsplit(endpoint.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            headers = {"Content-Type": "application/json", "Stripe-Signature": self.signature(body, endpoint.secret)}
            connection.request("POST", parts.path, body, {**headers, "User-Agent": "Stripe/1.0 (local simulator)"})
            return connection.getresponse().status
        finally:
            connection.close()

    def signature(self, body: bytes, secret: str = "") -> str:
        at = int(time.time()) + self.faults.clock_skew
        secret = "whsec_wrong" if self.faults.wrong_secret else secret or self.secret
        signatures = [sign(body, secret, at=at)]
        if self.faults.two_signatures:
            signatures.insert(0, sign(body, "whsec_rolled_over", at=at))
        return f"t={at}," + ",".join(f"v1={one}" for one in signatures)
