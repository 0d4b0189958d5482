"""Google's login as the running site knows it, but that Google is on this machine (account/tests/google_server.py)."""

import os
from typing import Any
from urllib.parse import urlsplit

from account.backends import GoogleBackend

HERE = os.environ.get("DOOR_GOOGLE", "")


class LocalGoogle(GoogleBackend):
    AUTHORIZATION_URL = f"{HERE}/o/oauth2/auth"

    def request(self, url: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(f"{HERE}{urlsplit(url).path}", *args, **kwargs)
