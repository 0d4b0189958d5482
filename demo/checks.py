"""A site that strangers reach must not be open to whoever has read the demo's password."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import DatabaseError

from core.serving.start import AT_START

from .accounts import with_known_password


@register(AT_START, deploy=True)
def demo_logins_are_gone(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return []
    try:
        accounts = with_known_password()
    except DatabaseError:  # no tables yet, or no database: nobody can log in
        return []
    if not accounts:
        return []
    names = [user.username for user in accounts]
    return [
        Error(
            f"The demo's login is open, and its password is known to everybody: {', '.join(names)}.",
            hint=f"`manage.py demo --remove` takes the demo away; `manage.py changepassword {names[0]}` closes the login.",
            id="demo.E001",
        )
    ]
