"""
Fetch a file from the web for somebody we do not trust, without being led to our own network.

The name is looked up once, every address it has must be public, and the connection goes to the address that was
checked: a name that answers differently the second time gains nothing. Only http and https on ports 80 and 443, no
user names in addresses, at most three redirects (each checked like the first), never from https to http, no cookies,
no proxy from the environment, no compression, bounded bytes and seconds. Whatever is wrong, the answer is the same
FetchRefused, so that nobody can map our network by error texts.

FETCH_TEST_ORIGINS (host:port, only with DEBUG) lets tests and demos fetch from a server of their own on loopback.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore, Timer
from urllib.parse import quote, urljoin, urlsplit

import certifi
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES

from .pixels import MEDIA_TYPES

MAX_BYTES = 10 * 1024 * 1024
MAX_SECONDS = 15.0
MAX_REDIRECTS = 3
MAX_URL = 2000
PORTS = {80, 443}
REDIRECTS = {301, 302, 303, 307, 308}
STEP_SECONDS = 5.0
TEXT = _("We could not get anything we can use from this address.")

# What ipaddress calls public on some Python versions, and nobody should reach through us all the same.
MORE_BLOCKED = [
    ipaddress.ip_network(network)
    for network in ("::/96", "fec0::/10", "168.63.129.16/32", "2001::/23", "ff00::/8", "240.0.0.0/4")
]
HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?\.?")
# Refused before parsing: what one parser takes for part of the host and another does not.
ODD = re.compile(r"[\x00-\x20\x7f-\xa0\\^`{|}<>\"]")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# A slow server must not hold every thread that also sends mail.
_slots = BoundedSemaphore(2)


class FetchRefused(ValueError):
    """Nothing was fetched. There is one text for all reasons; `reason` is for the log only."""

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        super().__init__(str(TEXT))


@dataclass(frozen=True)
class Fetched:
    content: bytes
    content_type: str
    url: str  # after redirects


@dataclass(frozen=True)
class Target:
    """An address taken apart, all of whose parts are allowed."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.origin}{self.path}"

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"


def fetch(url: str, *, referer: str = "", max_bytes: int = MAX_BYTES, max_seconds: float = MAX_SECONDS) -> Fetched:
    """Return what a GET of a public address yields, or raise FetchRefused; takes up to `max_seconds`."""
    deadline = time.monotonic() + max_seconds
    with _slots:
        try:
            return _follow(parse(url), referer, max_bytes, deadline)
        except FetchRefused:
            raise
        except Exception as error:  # OSError, HTTPException, SSLError, UnicodeError, ValueError from a broken answer …
            raise FetchRefused(repr(error)) from error


def fetch_picture(url: str) -> bytes:
    """Return the bytes at a public address, for content.pictures to judge; raise FetchRefused."""
    return fetch(url).content


def parse(url: str) -> Target:
    """Take the address apart, or raise FetchRefused, also for a number of a closed network. No look-up happens here."""
    if len(url) > MAX_URL or ODD.search(url):
        raise FetchRefused("odd address")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise FetchRefused("not an address") from error
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or "%" in parts.netloc:
        raise FetchRefused("scheme or user")
    port = port if port is not None else {"http": 80, "https": 443}[parts.scheme]
    host = _plain_host(host)
    if port not in PORTS and not _is_test_origin(host, port):
        raise FetchRefused("port")
    if host == urlsplit(settings.SITE_URL).hostname and not _is_test_origin(host, port):
        raise FetchRefused("ourselves")
    number = _as_number(host)
    if number and not is_public(number) and not _is_test_origin(host, port):
        raise FetchRefused("not a public address")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?") if parts.query else ""
    return Target(parts.scheme, host, port, path + query)


def _plain_host(host: str) -> str:
    if ":" in host:
        return str(ipaddress.IPv6Address(host))
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    host = host.lower()
    if len(host) > 253 or not HOST.fullmatch(host):
        raise FetchRefused("host")
    return host


def _as_number(host: str) -> Address | None:
    """Return the IP address that the host is written as, in any of the ways that resolvers take (127.1, 0x7f000001)."""
    if ":" in host:
        return ipaddress.IPv6Address(host)
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def _is_test_origin(host: str, port: int) -> bool:
    return f"{host}:{port}" in settings.FETCH_TEST_ORIGINS


def _follow(target: Target, referer: str, max_bytes: int, deadline: float) -> Fetched:
    for _hop in range(MAX_REDIRECTS + 1):
        with _request(target, referer, deadline) as response:
            if response.status not in REDIRECTS:
                content = _read(response, max_bytes, deadline)
                return Fetched(content, response.headers.get_content_type(), target.url)
            target = _next(target, response.headers.get("Location", ""))
    raise FetchRefused("too many redirects")


def _next(target: Target, location: str) -> Target:
    if not location:
        raise FetchRefused("redirect to nowhere")
    following = parse(urljoin(target.url, location))
    if target.scheme == "https" and following.scheme == "http":
        raise FetchRefused("redirect from https to http")
    return following


@contextmanager
def _request(target: Target, referer: str, deadline: float) -> Iterator[http.client.HTTPResponse]:
    address = resolve(target.host, target.port, deadline)
    connection = http.client.HTTPConnection(target.host, target.port)
    sock = _connect(address, target.port, _left(deadline))
    try:
        if target.scheme == "https":
            sock = _tls().wrap_socket(sock, server_hostname=target.host, do_handshake_on_connect=False)
        # Time-outs count anew for each byte; the timer ends a server that drips.
        timer = Timer(_left(deadline, whole=True), _hang_up, [sock])
        timer.daemon = True
        timer.start()
        try:
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            connection.sock = sock
            connection.request("GET", target.path, headers=_headers(target, referer))
            with connection.getresponse() as response:
                yield response
        finally:
            timer.cancel()
    finally:
        sock.close()


def _headers(target: Target, referer: str) -> dict[str, str]:
    headers = {
        "Host": target.origin,
        "User-Agent": f"{settings.SITE_NAME} (+{settings.SITE_URL})",
        "Accept": ",".join([*MEDIA_TYPES.values(), "text/html;q=0.8", "*/*;q=0.1"]),
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    if referer:
        headers["Referer"] = referer
    return {name: value.encode("ascii", "ignore").decode() for name, value in headers.items()}


def _read(response: http.client.HTTPResponse, max_bytes: int, deadline: float) -> bytes:
    if response.status != 200 or response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchRefused(f"status {response.status}")
    announced = response.length
    if announced is not None and announced > max_bytes:
        raise FetchRefused("too large")
    body = bytearray()
    while chunk := response.read(min(65536, max_bytes + 1 - len(body))):
        body += chunk
        if len(body) > max_bytes:
            raise FetchRefused("too large")
    # When the timer hangs up, what came so far looks like the end.
    _left(deadline)
    if not body or (announced is not None and len(body) < announced):
        raise FetchRefused("cut short")
    return bytes(body)


def _left(deadline: float, *, whole: bool = False) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise FetchRefused("too slow")
    return seconds if whole else min(seconds, STEP_SECONDS)


# --- Addresses ------------------------------------------------------------------------------------------------------


def resolve(host: str, port: int, deadline: float) -> Address:
    """Look the name up once and return its first address; raise FetchRefused if any of them is not public."""
    # The system's resolver has no time-out of ours, so it is asked in a thread that may be left behind.
    found = _resolvers().submit(_look_up, host, port).result(timeout=_left(deadline))
    if not found:
        raise FetchRefused("no address")
    if not _is_test_origin(host, port) and not all(is_public(address) for address in found):
        raise FetchRefused("not a public address")
    return found[0]


def _look_up(host: str, port: int) -> list[Address]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]


def is_public(address: Address) -> bool:
    """Return whether the address belongs to the open internet on every Python version we support."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address in network for network in (*EXTRA_BLOCKED_NET_RANGES, *MORE_BLOCKED))


@cache
def _resolvers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolver")


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


def _connect(address: Address, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((str(address), port), timeout=seconds)


def _hang_up(sock: socket.socket) -> None:
    try:
        # The plain socket's method also for TLS: that one's would change state under the reading thread.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return
