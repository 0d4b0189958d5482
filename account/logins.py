"""
Log lines about logins, for whoever has to find out afterwards what happened.

They name a member by number and a failed login by a mark of what was typed: the same name gives the same mark, and no
line tells the name, which may be an address, or a password typed into the wrong field.
"""

import logging
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from . import tries
from .models import User

logger = logging.getLogger(__name__)


def listen() -> None:
    """Django's own signals: they come by whichever page or call somebody logs in."""
    user_logged_in.connect(_came, dispatch_uid="account.logins.came")
    user_logged_out.connect(_left, dispatch_uid="account.logins.left")
    user_login_failed.connect(_failed, dispatch_uid="account.logins.failed")


def _came(sender: Any, user: User, **kwargs: Any) -> None:
    logger.info("Member %s logged in by %s", user.pk, getattr(user, "backend", "-").rpartition(".")[2])


def _left(sender: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        logger.info("Member %s logged out", user.pk)


def _failed(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    logger.warning("A login failed under the name with the mark %s", tries.mark(str(credentials.get("username", ""))))
