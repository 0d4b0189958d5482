"""A mail server on loopback that behaves as badly as a test wants."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.parser import BytesParser

GOOD = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 taken"}


class Server(socketserver.ThreadingTCPServer):
    """
    `answers` maps a command (and "." for the end of a message) to a reply; "" closes the connection.

    A whole line in small letters ("rcpt to:<bob@example.com>") goes before its command. With `tls` there is STARTTLS.
    """

    daemon_threads = True

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = {**GOOD, **answers}
        self.tls: ssl.SSLContext | None = None
        self.said: list[str] = []
        self.taken: list[Message] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        try:
            self.converse()
        except ssl.SSLError as error:
            self.server.said.append(error.reason)  # what was said of our certificate
        except OSError:
            pass  # whoever asked was killed

    def converse(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            command = line.split()[0].upper().decode() if line.split() else ""
            if command == "QUIT":
                return
            reply = self.server.answers.get(line.decode().strip().lower()) or self.server.answers.get(command, "250 ok")
            if command == "STARTTLS" and self.server.tls:
                self.encrypt(self.server.tls)
                continue
            if command == "DATA" and reply.startswith("354"):
                self.wfile.write(f"{reply}\r\n".encode())
                reply = self.take()
            self.server.said.append(reply)
            if not reply:
                return
            self.wfile.write(f"{reply}\r\n".encode())

    def encrypt(self, tls: ssl.SSLContext) -> None:
        self.wfile.write(b"220 go on\r\n")
        self.rfile.close()
        self.request = tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)

    def finish(self) -> None:
        super().finish()
        self.request.close()

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
