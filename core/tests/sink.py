"""A web server on loopback that answers with whatever bytes a test wants, and counts who came."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

Answer = bytes | Callable[[socket.socket], None]


def http_answer(body: bytes = b"", *, status: str = "200 OK", length: object = None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if length is not False:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def redirect(location: str) -> bytes:
    return http_answer(status="302 Found", Location=location)


class Sink:
    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                self.connections += 1
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (chunk := client.recv(4096)):
                head += chunk
            self.requests.append(head.decode("latin-1"))
            path = head.split(b" ")[1].decode() if b" " in head else ""
            nothing = http_answer(status="404 Not Found")
            answer = self.answers.get(path) or self.answers.get(path.partition("?")[0], nothing)
            if callable(answer):
                answer(client)
            else:
                client.sendall(answer)

    def close(self) -> None:
        # shutdown wakes the thread that waits in accept; close alone would leave it there.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def drip(before: bytes = b"", every: float = 0.05) -> Callable[[socket.socket], None]:
    """Answer byte by byte until the client has had enough."""

    def answer(client: socket.socket) -> None:
        client.sendall(before)
        while True:
            client.sendall(b"x")
            time.sleep(every)

    return answer


def endless_chunks(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
