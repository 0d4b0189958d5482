"""What strangers may write into mails that we send to others: a line of words, and no way out of it."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

WEB_ADDRESS = re.compile(r"(?i)://|\bwww\.|\b[a-z0-9-]+\.(?:com|net|org|info|biz|ru|cn|xyz|top|io|shop|site|online)\b")


def one_line(value: str) -> None:
    """Refuse line breaks and other control characters: they end a mail header, and make one line look like a letter."""
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in value):
        raise ValidationError(_("Write this in one line."), code="line_break")


def visible(value: str) -> None:
    """Refuse what is nothing to look at: only spaces, joiners, direction marks."""
    if all(unicodedata.category(letter)[0] in "CZ" for letter in value):
        raise ValidationError(_("Write something that can be read."), code="invisible")


def no_web_address(value: str) -> None:
    """Refuse links: mail from our address with a stranger's link in it is what spammers want."""
    if WEB_ADDRESS.search(value):
        raise ValidationError(_("Leave out web addresses."), code="link")
