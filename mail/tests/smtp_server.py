"""A mail server on loopback that behaves as badly as a test wants."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.parser import BytesParser

GOOD = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 taken"}


class Server(socketserver.ThreadingTCPServer):
    """`answers` maps a command (and "." for the end of a message) to a reply; "" closes the connection."""

    daemon_threads = True

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = {**GOOD, **answers}
        self.taken: list[Message] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            command = line.split()[0].upper().decode() if line.split() else ""
            if command == "QUIT":
                return
            reply = self.server.answers.get(command, "250 ok")
            if command == "DATA" and reply.startswith("354"):
                self.wfile.write(f"{reply}\r\n".encode())
                reply = self.take()
            if not reply:
                return
            self.wfile.write(f"{reply}\r\n".encode())

    def take(self) -> str:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        self.server.taken.append(BytesParser().parsebytes(b"".join(lines)))
        return self.server.answers["."]


@contextmanager
def smtp_server(**answers: str) -> Iterator[Server]:
    with Server({name if name != "end" else ".": reply for name, reply in answers.items()}) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
