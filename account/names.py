"""What a member may be called."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from content.plaintext import no_web_address, one_line, visible

# ASCII only: "admin" in Cyrillic letters looks like the real one. No "@": what looks like an e-mail address would
# shadow the member who logs in with that address. It begins and ends with a letter or digit, so it is always one URL
# segment.
validate_username = RegexValidator(
    re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z"),
    _("Use letters, digits, dots, hyphens and underscores; begin and end with a letter or digit."),
    code="username",
)

RESERVED = frozenset(
    {
        "about",
        "account",
        "admin",
        "administrator",
        "api",
        "atelier",
        "create",
        "dashboard",
        "delete",
        "edit",
        "follow",
        "help",
        "images",
        "info",
        "login",
        "logout",
        "mail",
        "me",
        "members",
        "moderator",
        "news",
        "postmaster",
        "register",
        "root",
        "search",
        "security",
        "settings",
        "shop",
        "staff",
        "support",
        "system",
        "unfollow",
        "user",
        "users",
        "webmaster",
        "www",
    }
)


NAME_RULES = [one_line, visible, no_web_address]


def acceptable(name: str) -> str:
    """Return the name that another site tells of somebody, or nothing when they could not have typed it here."""
    try:
        for rule in NAME_RULES:
            rule(name)
    except ValidationError:
        return ""
    return name


def validate_not_reserved(username: str) -> None:
    if username.lower() in RESERVED:
        raise ValidationError(_("This name is reserved. Please choose another."), code="reserved")
