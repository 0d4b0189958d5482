"""What must not be true of a site that strangers reach."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import DatabaseError


@register(deploy=True)
def demo_logins_are_gone(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    from .demo.accounts import with_known_password

    if settings.DEBUG:
        return []
    try:
        accounts = with_known_password()
    except DatabaseError:  # no tables yet, or no database: nobody can log in
        return []
    if not accounts:
        return []
    return [
        Error(
            f"The demo's login is open, and its password is known to everybody: {', '.join(map(str, accounts))}.",
            hint="`manage.py demo --remove` takes the demo away; `manage.py changepassword` keeps it and closes the login.",
            id="config.E001",
        )
    ]
