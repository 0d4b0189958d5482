"""A TCP proxy between the site and a service, which can cut, refuse or hold what passes through it."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

CHUNK = 65_536


class Proxy:
    """Listens on a port of its own; what it does with connections can be changed at any moment by any thread."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._passing = threading.Event()
        self._passing.set()
        self.is_refusing = False
        self.came = 0  # connections so far
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._passing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> int:
        """Drop all connections, as a restart of the service does; return how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Drop all connections, and each new one at once."""
        self.is_refusing = True
        self.cut()
        try:
            yield
        finally:
            self.is_refusing = False

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Keep all connections, and take new ones, but pass on nothing."""
        self._passing.clear()
        try:
            yield
        finally:
            self._passing.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.came += 1
            if self.is_refusing:
                client.close()
            else:
                threading.Thread(target=self._join, args=[client], daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        self._passing.wait()
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        with self._lock:
            self._pairs.append((client, server))
        with client, server, suppress(OSError):
            self._pass(client, server)

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        with selectors.DefaultSelector() as waiting:
            for end in other:
                waiting.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in waiting.select():
                    data = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                    self._passing.wait()
                    if not data:
                        return
                    other[key.fileobj].sendall(data)  # type: ignore[index]
