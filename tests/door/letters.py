"""The mail that arrives: a mail server on loopback, and letters to read."""

import email
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from urllib.parse import urldefrag

from core.tests.waiting import wait_until
from mail.tests.smtp_server import Server, smtp_server


class Letter:
    def __init__(self, number: int, message: EmailMessage) -> None:
        self.number = number
        self.message = message
        self.to = str(message["To"])
        self.subject = str(message["Subject"])
        self.sender = str(message["From"])

    def __repr__(self) -> str:
        return f"“{self.subject}” to {self.to}"

    @property
    def text(self) -> str:
        return self.message.get_body(("plain",)).get_content()

    def link(self, part: str) -> str:
        """Return the first address in the plain text that has this part."""
        found = [url for url in re.findall(r"https?://[^\s<>\"]+", self.text) if part in url]
        assert found, f"{self!r} has no link with {part!r}:\n{self.text}"
        return urldefrag(found[0].rstrip(".,;)")).url

    def attachments(self) -> dict[str, bytes]:
        return {str(part.get_filename()): part.get_content() for part in self.message.iter_attachments()}


class Letters:
    """Every mail the site has sent, in order."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        self.read: list[Letter] = []

    def all(self) -> list[Letter]:
        for number in range(len(self.read), len(self.server.taken)):
            message = email.message_from_bytes(self.server.taken[number].as_bytes(), policy=policy.default)
            self.read.append(Letter(number, message))
        return self.read

    def to(self, address: str) -> list[Letter]:
        return [letter for letter in self.all() if letter.to.lower() == address.lower()]

    def wait_for(self, address: str, about: str, known: Collection[int] = ()) -> Letter:
        found: list[Letter] = []

        def has_come() -> bool:
            found[:] = [each for each in self.to(address) if about in each.subject and each.number not in known]
            return bool(found)

        try:
            wait_until(has_come)
        except AssertionError as error:
            raise AssertionError(f"no mail about {about!r} came to {address}, only {self.to(address)}") from error
        return found[0]


@contextmanager
def post_office() -> Iterator[Letters]:
    with smtp_server() as server:
        yield Letters(server)
