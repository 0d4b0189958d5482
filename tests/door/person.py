"""
Somebody at a browser: opens addresses, reads, fills in forms by their labels, presses buttons, gets mail.

What is sent is what browsers send: where a request comes from (Sec-Fetch-*, Origin, Referer), which answers are wanted,
and the cookies, among them those that other programs on the same host have left behind. Each person lives at an address
of their own, since the site limits what one address may do.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from .letters import Letter
from .pages import Answer, Page, Request
from .patience import eventually

if TYPE_CHECKING:
    from .site import Site

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SECONDS = 120  # only what hangs takes that long
MOST_REDIRECTS = 10
# Left by a consent banner and by analytics on the same host: not all of it is what RFC 6265 allows.
OTHER_COOKIES = {"consent": '{"ads":false,"stats":[1,2]}', "_ga": "GA1.1.1234567890.1700000000"}
PASSWORD = "lead type and linen"
homes = itertools.count(2)


class FromHome(HTTPAdapter):
    """Connects from one loopback address, as if from that machine."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, source_address=(self.address, 0), **kwargs)


@dataclass
class Step:
    """One request on its way: a chain of redirects is as foreign as the most foreign page in it."""

    method: str
    url: str
    came_from: str  # the address of the page it was asked for on; empty when somebody typed the address
    is_foreign: bool = False  # a link in a mail, or on a page of another site
    form: Request | None = None

    def headers(self) -> dict[str, str]:
        sent = {"Sec-Fetch-Site": self.site(), "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}
        if self.came_from and not self.is_foreign:
            here, there = origin(self.came_from), origin(self.url)
            sent["Referer"] = self.came_from if here == there else f"{here}/"
        if self.method == "POST":
            sent["Origin"] = origin(self.came_from) if self.came_from and not self.is_foreign else "null"
        return {**sent, "Sec-Fetch-Dest": "document", "Upgrade-Insecure-Requests": "1"}

    def site(self) -> str:
        if self.is_foreign:
            return "cross-site"
        if not self.came_from:
            return "none"
        if origin(self.came_from) == origin(self.url):
            return "same-origin"
        # Two ports of one host are one site to a browser.
        return "same-site" if urlsplit(self.came_from).hostname == urlsplit(self.url).hostname else "cross-site"


class Person:
    def __init__(self, site: Site, name: str, *, email: str = "") -> None:
        self.site = site
        self.name = name
        self.email = email or f"{name}@people.example"
        self.password = PASSWORD
        self.read_letters: set[int] = set()
        self.browser = requests.Session()
        self.browser.trust_env = False
        home = next(homes)
        self.home = f"127.0.{home // 250}.{home % 250 + 2}"
        self.browser.mount("http://", FromHome(self.home))
        self.browser.headers.update(
            {"User-Agent": USER_AGENT, "Accept": ACCEPT, "Accept-Language": "en-US,en;q=0.5", **site.proxied(self.home)}
        )
        for cookie, value in OTHER_COOKIES.items():
            self.browser.cookies.set(cookie, value, domain="127.0.0.1", path="/")

    def __repr__(self) -> str:
        return self.name

    # --- Going places -----------------------------------------------------------------------------------------------

    def opens(self, address: str) -> Page:
        """Type an address, of this site or a whole one."""
        return self._go(Step("GET", urljoin(self.site.url, address), came_from=""))

    def clicks(self, text: str, *, near: str = "") -> Page:
        """Follow the link that says this."""
        return self._go(Step("GET", self.page.link(text, near=near), came_from=self.page.url))

    def presses(self, button: str, answers: dict[str, Answer] | None = None, *, near: str = "") -> Page:
        """Fill in the fields with these labels and press the button."""
        form = self.page.press(button, answers or {}, near=near)
        if form.method == "get":
            return self._go(Step("GET", f"{form.url.partition('?')[0]}?{urlencode(form.fields)}", self.page.url))
        return self._go(Step("POST", form.url, came_from=self.page.url, form=form))

    def follows_link_in(self, letter: Letter, part: str) -> Page:
        """Open the link in a mail whose address has this part, from a mail program on the web."""
        return self._go(Step("GET", letter.link(part), came_from="https://mail.example/", is_foreign=True))

    def looks_at(self, address: str) -> requests.Response:
        """Fetch what a page shows, a picture or a file, without leaving the page."""
        url = urljoin(self.site.url, address)
        headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        answer = self.browser.get(url, headers=headers, timeout=SECONDS, allow_redirects=False)
        self._refuse_5xx("GET", answer)
        return answer

    def _go(self, step: Step) -> Page:
        for _ in range(MOST_REDIRECTS):
            answer = self._send(step)
            self._refuse_5xx(step.method, answer)
            if answer.status_code not in (301, 302, 303, 307, 308):
                self.page = Page(answer)
                return self.page
            step = redirected(step, answer)
        raise AssertionError(f"{self} is sent in circles: {step.url}")

    def _send(self, step: Step) -> requests.Response:
        body: dict[str, object] = {}
        if step.form is not None and step.form.is_multipart:
            # A field without a file name is a field; one list keeps the form multipart even without files.
            body["files"] = [(name, (None, value)) for name, value in step.form.fields]
            body["files"] += [(name, upload) for name, upload in step.form.files]
        elif step.form is not None:
            body["data"] = step.form.fields
        return self.browser.request(
            step.method, step.url, headers=step.headers(), timeout=SECONDS, allow_redirects=False, **body
        )

    def _refuse_5xx(self, method: str, answer: requests.Response) -> None:
        if answer.status_code >= 500:
            raise AssertionError(
                f"{self} was answered {answer.status_code} to {method} {answer.url}; the site's log ends with\n"
                f"{self.site.log_tail()}"
            )

    # --- Reading ----------------------------------------------------------------------------------------------------

    def sees(self, *texts: str) -> None:
        """Fail unless the page says all of this, with what it says instead."""
        for text in texts:
            assert " ".join(text.split()) in self.page.text, (
                f"{self} does not see {text!r} on {self.page}:\n{self.page.text}"
            )

    def misses(self, *texts: str) -> None:
        for text in texts:
            assert text not in self.page.text, f"{self} sees {text!r} on {self.page}:\n{self.page.text}"

    def is_refused(self, addresses: Iterable[str]) -> None:
        """Fail unless each address is not found, forbidden, or leads to the login."""
        for address in addresses:
            page = self.opens(address)
            is_login = "/account/login/" in page.url or "/admin/login/" in page.url
            assert page.status in (403, 404) or is_login, f"{self} gets {page} at {address}:\n{page.text}"

    def waits_to_see(self, address: str, *texts: str) -> Page:
        """Look again and again until background work shows."""
        eventually(lambda: all(text in self.opens(address).text for text in texts))
        return self.page

    # --- Mail -------------------------------------------------------------------------------------------------------

    def gets_mail(self, about: str, *, at: str = "") -> Letter:
        """Wait for a mail not read yet whose subject has these words."""
        letter = self.site.letters.wait_for(at or self.email, about, self.read_letters)
        self.read_letters.add(letter.number)
        return letter

    def has_mail(self, about: str) -> bool:
        return any(about in letter.subject for letter in self.site.letters.to(self.email))

    # --- What every member does -------------------------------------------------------------------------------------

    def registers(self) -> Person:
        self.opens("/account/register/")
        self.presses(
            "Register",
            {
                "Username": self.name,
                "First name": self.name.capitalize(),
                "E-mail address": self.email,
                "Password": self.password,
                "The same once more": self.password,
            },
        )
        return self

    def proves_the_address(self) -> Person:
        self.follows_link_in(self.gets_mail("Confirm your address"), "/account/register/")
        self.presses("Yes, this is me")
        return self

    def logs_in(self, *, password: str = "") -> Page:
        self.opens("/account/login/")
        name = {"Username or e-mail address": self.email}
        return self.presses("Log in", {**name, "Password": password or self.password})

    def joins(self) -> Person:
        """Become a member with a proven address who is logged in."""
        self.registers().proves_the_address().logs_in()
        assert self.page.url == f"{self.site.url}/account/", f"{self} is not logged in: {self.page.text}"
        return self


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def redirected(step: Step, answer: requests.Response) -> Step:
    """Return the next request: 303 asks to GET, and browsers take 301 and 302 for it; 307 and 308 repeat."""
    url = urljoin(step.url, answer.headers["Location"])
    repeats = answer.status_code in (307, 308)
    return Step(
        method=step.method if repeats else "GET",
        url=url,
        came_from=step.came_from,
        is_foreign=step.is_foreign,
        form=step.form if repeats else None,
    )
