"""Who runs the site: writes, sells, moderates, all through the pages that staff have."""

import base64
import hmac
import re
import struct
import time

from .pages import Answer, Page
from .person import Person
from .site import STAFF_EMAIL, Site

STEP = 30  # seconds that a code of the authenticator is shown


class Staff(Person):
    def __init__(self, site: Site) -> None:
        super().__init__(site, "editor", email=STAFF_EMAIL)
        self.password = site.environment["DJANGO_SUPERUSER_PASSWORD"]

    def enters(self) -> None:
        """Log in for the first time: a second factor is asked for before anything else."""
        self.logs_in()
        self.opens("/admin/")
        turn_on_second_factor(self)
        self.opens("/admin/")
        self.sees("Orders")

    def adds(self, model: str, answers: dict[str, Answer]) -> Page:
        """Add a row of this model, such as `shop/product`, by the admin's form."""
        self.opens(f"/admin/{model}/add/")
        self.presses("Save", answers)
        self.sees("was added successfully")
        return self.page


def turn_on_second_factor(person: Person) -> str:
    """Set up the authenticator on the page that shows its secret; return the secret."""
    person.opens("/account/code/setup/")
    secret = person.page.soup.select_one("main code").get_text(strip=True)
    person.presses("Turn on", {"Code": code_of(secret)})
    person.sees("It is on. Keep these codes")
    return secret


def code_of(secret: str, *, later: int = 0) -> str:
    """Return the six digits an authenticator shows for the secret (RFC 6238), now or some steps later."""
    key = base64.b32decode(re.sub(r"\s", "", secret).upper() + "=" * (-len(re.sub(r"\s", "", secret)) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // STEP + later), "sha1")
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
