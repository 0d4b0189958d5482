"""What people may write where one line of words is shown, on pages and in mails that we send to others."""

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

WEB_ADDRESS = re.compile(r"(?i)://|\bwww\.|\b[a-z0-9-]+\.(?:com|net|org|info|biz|ru|cn|xyz|top|io|shop|site|online)\b")

JOINERS = "\u200c\u200d"
# Of Unicode's format characters (Cf) these are seen: Arabic, Syriac and Kaithi signs that stand around a number.
SEEN = "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
# A joiner that joins nothing but makes two names that look like one: not between two letters or pictures of a script
# that has joined forms, which neither space nor ASCII is.
IDLE_JOINER = re.compile(rf"(?<![^\x00-\x7f\s{JOINERS}])[{JOINERS}]+|[{JOINERS}]+(?![^\x00-\x7f\s{JOINERS}])")


def without_unseen(text: str) -> str:
    """
    Return the text without characters that nobody sees but that change what others look like.

    Marks and overrides of direction turn "gpj.exe" around, and let a name run on into the words behind it; spaces of no
    width make two names of one. Joiners stay where Persian, Hindi or an emoji needs them.
    """
    kept = (letter for letter in text if letter in JOINERS or not _is_unseen(letter))
    return IDLE_JOINER.sub("", "".join(kept))


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) == "Cf" and not re.match(f"[{SEEN}]", letter)


class LineFormField(forms.CharField):
    """A name, a title, a line of an address: what nobody sees in it is taken out, since nobody could find it."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return without_unseen(text).strip() if isinstance(text, str) else text


if TYPE_CHECKING:
    CharField = models.CharField[str, str]
else:
    CharField = models.CharField  # Django's fields take no type arguments at run time


class LineField(CharField):
    """The same for a model, whoever writes the row; to migrations it is the CharField that it is in the database."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": LineFormField, **kwargs})

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 (Django's signature)
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = without_unseen(value)
            setattr(model_instance, self.attname, value)
        return value


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
