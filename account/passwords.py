"""Passwords that whoever guesses at this very site would try first."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LETTERS_LEFT = 6  # as many that the site's words do not explain make a password one's own
EVERY_SITES = {"admin", "administrator", "login", "password", "passwort", "staff", "welcome", "www"}
NOT_A_LETTER = re.compile(r"[\W\d_]+")


class SiteWordsValidator:
    """Refuse what is made of the site's name, the seller's or the address, with digits, signs and little else."""

    def validate(self, password: str, user: object = None) -> None:
        left = typed = "".join(_words(password))
        for word in sorted(site_words(), key=len, reverse=True):
            left = left.replace(word, "")
        if left != typed and len(left) < LETTERS_LEFT:
            raise ValidationError(_("This is too close to the name of this site."), code="password_of_the_site")

    def get_help_text(self) -> str:
        return _("Your password can’t be the name of this site.")


def site_words() -> set[str]:
    """Return the words of three letters and more that the site is called by, and those that every site is."""
    named = f"{settings.SITE_NAME} {settings.SELLER_NAME} {urlsplit(settings.SITE_URL).hostname}"
    return EVERY_SITES | {word for word in _words(named) if len(word) > 2}


def _words(text: str) -> list[str]:
    return NOT_A_LETTER.sub(" ", text.casefold()).split()
