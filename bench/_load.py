"""
The visits of bench/_traffic.py made to a running site, and what came back held against what has to be shown.

- Stale: a page that was asked for after a write had been answered, and does not show it. Each act's page is asked for
  by its member, as a browser follows the redirect; after every CHECKED-th by a visitor too; and whoever comes later is
  held to all acts so far.
- Foreign: a page that greets somebody else than who asked, or hands a visitor a session.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from typing import Any
from urllib.parse import urlencode

from bench._http import Answer, Pool
from bench._traffic import Traffic, Visit, normalised, shown

CONNECTIONS = 48
MOST_WAITING = 100  # visitors; whoever comes later finds the site too slow and goes, or a queue would grow for ever
CHECKED = 4
VISITORS = 5000
COMMENTS = 40  # on one post: with more, its page shows only the last
TOKEN_SECONDS = 4  # a form sent back sooner is taken for a program's
BROWSER = {
    "Host": "atelier.example", "X-Forwarded-Proto": "https", "Accept-Encoding": "gzip, deflate, br",
    "Accept": "text/html,application/xhtml+xml", "Accept-Language": "en-US,en;q=0.5",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
}  # fmt: skip
GREETING = re.compile(r'class="word name">\s*([^<]*?)\s*<')
PIECES = re.compile(r'<span class="badge">(\d+)')
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
COUNTED = {"like": re.compile(r"(\d+) likes?\b"), "follow": re.compile(r"(\d+) followers?\b")}
CONTACT = {
    "email": "guest@example.com", "first_name": "Ada", "last_name": "Byron", "address": "12 Lane",
    "postal_code": "10115", "city": "Berlin", "country": "DE", "terms": "on",
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """One answer: `number` leads to what it cost (bench/_apart/mix_served.py)."""

    number: int
    page: str
    who: str  # first, repeat (visitors); member; act; guest; check
    is_unchanged: bool  # shows what the address showed the last time
    seconds: float


class Load:
    """One site under load: what its addresses have shown so far, and what they have to show."""

    def __init__(self, port: int, places: dict[str, Any], traffic: Traffic) -> None:
        self.pool, self.places, self.traffic = Pool(port, CONNECTIONS), places, traffic
        self.numbers, self.acts = count(), count(1)
        self.seen: list[Seen] = []
        self.last: dict[str, bytes] = {}  # normalised address -> hash of what visitors were shown
        self.texts: dict[str, list[str]] = {}  # path -> what it has to say
        self.least: dict[tuple[str, str], int] = {}  # (act, path) -> likes or followers
        self.pieces: dict[int, int] = {}  # member -> pieces in the cart
        self.jars: dict[int, dict[str, str]] = {
            number: {places["session"]: member["cookie"]} for number, member in enumerate(places["members"])
        }
        self.busy: set[int] = set()  # members who wait for an answer to an act
        self.hidden: dict[str, str] = {}  # what a comment form says besides the comment
        self.gave_up = 0
        self.stale: list[str] = []
        self.foreign: list[str] = []
        self.refused: list[str] = []

    # --- Time -------------------------------------------------------------------------------------------------------

    async def run(self, rate: float, seconds: float, orders: int) -> float:
        """Make visits at this rate; return the seconds it took until the last was answered."""
        begun, tasks = time.monotonic(), set[asyncio.Task[None]]()
        due = [seconds * (n + 0.5) / orders for n in range(orders)]
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0, begun + number / rate - time.monotonic()))
            visit = self.traffic.next()
            if len(tasks) < MOST_WAITING:
                tasks.add(asyncio.create_task(self.visit(visit)))
            else:
                self.gave_up += 1
            if due and number / rate >= due[0]:
                due.pop(0)
                tasks.add(asyncio.create_task(self.order()))
            tasks = {task for task in tasks if not task.done() or task.result()}  # result() raises what went wrong
        await asyncio.gather(*tasks)
        return time.monotonic() - begun

    async def prepare(self) -> None:
        """Open a comment form, and wait as long as somebody needs to write."""
        answer = await self.ask("GET", self.places["posts"][0][1], who="check", page="post", member=0)
        self.hidden = dict(HIDDEN.findall(answer.body))
        await asyncio.sleep(TOKEN_SECONDS)

    # --- Visits -----------------------------------------------------------------------------------------------------

    async def visit(self, visit: Visit) -> None:
        if visit.member is not None and visit.member in self.busy:
            return
        if visit.act:
            await self.act(visit)
        elif visit.member is not None:
            await self.ask("GET", visit.address, who="member", page=visit.page, member=visit.member)
        else:
            who = "repeat" if normalised(visit.address) in self.last else "first"
            await self.ask("GET", visit.address, who=who, page=visit.page)

    async def act(self, visit: Visit) -> None:
        member = visit.member or 0
        self.busy.add(member)
        try:
            number = next(self.acts)
            address, form = self.form_of(visit, number)
            if not address:
                return
            answer = await self.ask("POST", address, who="act", page=visit.act, member=member, form=form)
            if answer.status != 302:
                return
            self.note(visit, number)
            where = answer.header("location").removeprefix("https://atelier.example")
            await self.ask("GET", where.partition("#")[0], who="member", page=f"after {visit.act}", member=member)
            if number % CHECKED == 0:
                await self.ask("GET", visit.address, who="check", page=visit.page)
        finally:
            self.busy.discard(member)

    def form_of(self, visit: Visit, number: int) -> tuple[str, dict[str, str]]:
        if visit.act == "comment":
            if len(self.texts.get(visit.address, ())) >= COMMENTS:
                return "", {}
            post = self.places["posts"][visit.target][0]
            return f"/blog/{post}/comment/", {**self.hidden, "body": f"Remark {number:06} of a reader."}
        if visit.act == "like":
            return f"/images/{self.places['pictures'][visit.target][0]}/like/", {"action": "like"}
        if visit.act == "follow":
            return f"{visit.address}follow/", {"action": "follow"}
        return f"/cart/add/{self.places['products'][visit.target][0]}/", {"quantity": "1"}

    def note(self, visit: Visit, number: int) -> None:
        """Remember what has to be shown from now on."""
        if visit.act == "comment":
            self.texts.setdefault(visit.address, []).append(f"Remark {number:06} of a reader.")
        elif visit.act == "cart":
            self.pieces[visit.member or 0] = self.pieces.get(visit.member or 0, 0) + 1
        else:
            key = (visit.act, visit.address)
            self.least[key] = self.least.get(key, 0) + 1

    async def order(self) -> None:
        """Buy something of which few are left, as a guest who then leaves the pay page alone."""
        target = next(self.traffic.with_stock(self.traffic.ranks["product"].draw(self.traffic.chance), 2, 5), -1)
        if target < 0:
            return
        (pk, address), stock = self.places["products"][target], self.places["stock"][target]
        self.places["stock"][target] = 0  # each is bought once, so what is left is known
        jar: dict[str, str] = {}
        await self.ask("GET", address, who="guest", page="product", jar=jar)
        await self.ask("POST", f"/cart/add/{pk}/", who="guest", page="cart", jar=jar, form={"quantity": "1"})
        await self.ask("GET", "/cart/", who="guest", page="cart", jar=jar)
        page = await self.ask("GET", "/orders/create/", who="guest", page="checkout", jar=jar)
        form = {**dict(HIDDEN.findall(page.body)), **CONTACT}
        answer = await self.ask("POST", "/orders/create/", who="guest", page="place order", jar=jar, form=form)
        if answer.status == 307:
            self.texts.setdefault(address, []).append(f"Only {stock - 1} left")
            await self.ask("GET", address, who="check", page="product")
        else:
            self.refused.append(f"place order: {answer.status}")

    # --- One request ------------------------------------------------------------------------------------------------

    async def ask(
        self, method: str, address: str, *, who: str, page: str, member: int | None = None,
        jar: dict[str, str] | None = None, form: dict[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        number, place = next(self.numbers), normalised(address)
        has_to = Duties(self, place, member)
        begun = time.monotonic()
        jar = jar if member is None else self.jars[member]
        headers = self.headers(number, member, jar, form)
        answer = await self.pool.ask(method, address, headers, urlencode(form or {}))
        seconds = time.monotonic() - begun
        if jar is not None:
            jar |= answer.cookies()
        if answer.status not in (200, 302, 307):
            self.refused.append(f"{method} {address}: {answer.status}")
        is_unchanged = False
        if method == "GET" and answer.status == 200:
            self.stale += has_to.missed(answer)
            self.foreign += self.strangers(address, answer, member, is_visitor=jar is None)
            is_unchanged = jar is None and self.is_unchanged(place, answer)
        self.seen.append(Seen(number, page, who, is_unchanged, seconds))
        return answer

    def headers(
        self, number: int, member: int | None, jar: dict[str, str] | None, form: dict[str, str] | None
    ) -> dict[str, str]:
        home = self.traffic.chance.randrange(VISITORS) if member is None else VISITORS + member
        headers = {**BROWSER, "X-Bench": str(number), "X-Forwarded-For": f"10.1.{home // 250}.{home % 250 + 1}"}
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items() if value)
        if form is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded", "Origin": "https://atelier.example",
                "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate",
            }  # fmt: skip
        return headers

    def is_unchanged(self, place: str, answer: Answer) -> bool:
        digest = blake2b(shown(answer.body).encode(), digest_size=16).digest()
        before, self.last[place] = self.last.get(place), digest
        return before == digest

    def strangers(self, address: str, answer: Answer, member: int | None, *, is_visitor: bool) -> list[str]:
        name = None if member is None else self.places["members"][member]["name"]
        found = [f"{address} greets {other}, not {name}" for other in GREETING.findall(answer.body) if other != name]
        if name and "class=" in answer.body and name not in GREETING.findall(answer.body):
            found.append(f"{address} does not greet {name}")
        if is_visitor and self.places["session"] in answer.cookies():
            found.append(f"{address} hands a visitor a session")
        return found


class Duties:
    """What a page had to show when it was asked for."""

    def __init__(self, load: Load, place: str, member: int | None) -> None:
        self.place = place
        self.texts = tuple(load.texts.get(place, ()))
        self.least = {act: load.least.get((act, place), 0) for act in COUNTED}
        self.pieces = load.pieces.get(member, 0) if member is not None else 0

    def missed(self, answer: Answer) -> list[str]:
        body = answer.body
        found = [f"{self.place} lacks {text!r}" for text in self.texts if text not in body]
        for act, least in self.least.items():
            told = [int(number) for number in COUNTED[act].findall(body)] if least else []
            if least and max(told, default=0) < least:
                found.append(f"{self.place} tells of {told} {act}s, not {least}")
        told = [int(number) for number in PIECES.findall(body)]
        if self.pieces and "class=" in body and max(told, default=0) < self.pieces:
            found.append(f"{self.place} tells of {told} pieces in the cart, not {self.pieces}")
        return found
