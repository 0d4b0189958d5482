from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone
from django.utils.text import slugify


class EmlFileBackend(BaseEmailBackend):
    """One .eml file for each mail, as every mail program opens it: where mail goes while no server is set."""

    def __init__(self, *, folder: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._folder = Path(folder)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{timezone.localtime():%Y%m%d-%H%M%S}-{slugify(message.subject)[:60]}-{uuid4().hex[:6]}.eml"
            (self._folder / name).write_bytes(message.message().as_bytes())
        return len(email_messages)
