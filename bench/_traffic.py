"""
Who asks bench/mix.py's site for what: a stream of visits that is the same for every revision with the same seed.

Of a hundred visits 95 are visitors'. Which post, picture or product it is follows Zipf's law, the newest first; a deep
page of the list of posts likewise. A third of what members do is an act: a comment, a like, a follow or something for
the cart.
"""

import random
import re
import string
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qsl, urlencode

PAGES = {
    "home": 10, "post list": 10, "deep list": 4, "tag list": 8, "post": 34, "pinboard": 6, "picture": 8, "shop": 5,
    "category": 3, "product": 10, "feed": 2,
}  # fmt: skip
FIXED = {"home": "/", "post list": "/blog/", "pinboard": "/images/", "shop": "/shop/", "feed": "/blog/feed/"}
ZIPF = {"post": "posts", "picture": "pictures", "product": "products", "tag list": "tags", "category": "categories"}
ACTS = {"comment": 35, "like": 30, "follow": 15, "cart": 20}
MEMBERS, ACTING, TRACKED = 0.05, 1 / 3, 1 / 3
POSTS_ON_A_PAGE = 10
AUTHORS = ["ada", "grace", "mary", "jean", "kay"]
TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_eid")
LETTERS = string.ascii_letters + string.digits + "-_"


@dataclass(frozen=True)
class Visit:
    """One request to come: of whom (None: a visitor, else the number of a member), and of which page or act."""

    page: str
    address: str
    member: int | None = None
    act: str = ""
    target: int = 0


class Ranks:
    """Draws numbers below `many` by Zipf's law: the second is wanted half as often as the first."""

    def __init__(self, many: int) -> None:
        self.weights = list(accumulate(1 / rank for rank in range(1, many + 1)))

    def draw(self, chance: random.Random) -> int:
        return bisect(self.weights, chance.random() * self.weights[-1])


class Traffic:
    def __init__(self, places: dict[str, Any], seed: int, *, tracking: str = "some") -> None:
        self.places, self.tracking = places, tracking
        self.chance = random.Random(seed)
        self.ranks = {page: Ranks(len(places[name])) for page, name in ZIPF.items()}
        self.deep = Ranks(max(len(places["posts"]) // POSTS_ON_A_PAGE - 1, 1))
        self.acts_of: dict[tuple[str, int], set[int]] = {}  # nobody likes a picture or follows a person twice

    def visits(self) -> Iterator[Visit]:
        while True:
            yield self.next()

    def next(self) -> Visit:
        chance = self.chance
        member = chance.randrange(len(self.places["members"])) if chance.random() < MEMBERS else None
        if member is not None and chance.random() < ACTING:
            act = self.act(member)
            if act:
                return act
        page = one_of(PAGES, chance)
        return Visit(page, self.tracked(self.address(page)), member)

    def address(self, page: str) -> str:
        if page in FIXED:
            return FIXED[page]
        if page == "deep list":
            return f"/blog/?page={2 + self.deep.draw(self.chance)}"
        return str(self.places[ZIPF[page]][self.ranks[page].draw(self.chance)][1])

    def act(self, member: int) -> Visit | None:
        act, chance = one_of(ACTS, self.chance), self.chance
        page = {"comment": "post", "like": "picture", "cart": "product"}.get(act, "")
        target = self.ranks[page].draw(chance) if page else chance.randrange(len(AUTHORS))
        if act == "cart":
            target = next(self.with_stock(target, least=6), -1)
        done = self.acts_of.setdefault((act, member), set())
        if target in done or target < 0:
            return None
        done.add(target)
        address = str(self.places[ZIPF[page]][target][1]) if page else f"/account/users/{AUTHORS[target]}/"
        return Visit(page or "person", address, member, act, target)

    def with_stock(self, first: int, least: int, most: int = 99) -> Iterator[int]:
        """Give products from the first on that have so many pieces."""
        stock = self.places["stock"]
        return (n for n in range(first, len(stock)) if least <= (stock[n] or 0) <= most)

    def tracked(self, address: str) -> str:
        """Add what newsletters and social networks hang on a link."""
        chance = self.chance
        if self.tracking != "all" and chance.random() >= TRACKED:
            return address
        if self.tracking != "all" and chance.random() < 0.5:
            campaign = chance.choice(["spring", "news", "launch"])
            extra = f"utm_source=newsletter&utm_medium=email&utm_campaign={campaign}"
        else:
            extra = "fbclid=" + "".join(chance.choices(LETTERS, k=61))
        return f"{address}{'&' if '?' in address else '?'}{extra}"


def one_of(weights: dict[str, int], chance: random.Random) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def normalised(address: str) -> str:
    """Return the address without what only says where the visitor came from."""
    path, _, query = address.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if not TRACKING.fullmatch(pair[0])]
    return f"{path}?{urlencode(kept)}" if kept else path


IN_FORMS = re.compile(r'<input type="hidden"[^>]*>')  # when a form was shown, signed: another one each second
IN_LINKS = re.compile(rf"(?:[?&]|&amp;|%3F|%26)(?:{TRACKING.pattern})(?:=|%3D)[\w%-]*")


def shown(body: str) -> str:
    """Return the part of a page that people see."""
    return IN_LINKS.sub("", IN_FORMS.sub("", body))
