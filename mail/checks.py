from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def mail_goes_somewhere(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or settings.EMAIL_URL:
        return []
    return [
        Error(
            "EMAIL_URL is missing and DEBUG is off: no mail would reach anybody.",
            hint="For example EMAIL_URL=smtp+tls://user:password@mail.example.com:587.",
            id="mail.E001",
        )
    ]
