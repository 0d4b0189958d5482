"""What the benchmark of everyday traffic takes for the same page, for stale and for somebody else's."""

import random
from itertools import islice

import pytest

from bench._http import Answer
from bench._load import Duties, Load
from bench._traffic import Traffic, normalised, shown

PLACES = {
    "session": "sessionid",
    "posts": [[n, f"/blog/2026/1/1/post-{n}/"] for n in range(30)],
    "pictures": [[n, f"/images/detail/{n}/i/"] for n in range(30)],
    "products": [[n, f"/shop/{n}/p/"] for n in range(30)],
    "stock": [n % 9 for n in range(30)],
    "tags": [[n, f"/blog/tag/{n}/"] for n in range(5)],
    "categories": [[n, f"/shop/{n}/"] for n in range(5)],
    "members": [{"name": f"Mira{n}", "username": f"mira-{n}", "cookie": f"c{n}"} for n in range(3)],
}


def page(body: str, status: int = 200, **headers: str) -> Answer:
    return Answer(status, [(name.replace("_", "-"), value) for name, value in headers.items()], body)


def load() -> Load:
    return Load(1, PLACES, Traffic(PLACES, 1))


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("/blog/?fbclid=IwAR0_x-y", "/blog/"),
        ("/blog/?page=2&utm_source=a&utm_medium=b", "/blog/?page=2"),
        ("/blog/?utm_source=a&page=2", "/blog/?page=2"),
        ("/blog/?page=2", "/blog/?page=2"),
        ("/shop/?sort=", "/shop/?sort="),
    ],
)
def test_a_tracker_makes_no_other_address(address, plain):
    assert normalised(address) == plain


def test_a_page_that_repeats_a_tracker_shows_the_same():
    with_it = '<a href="/login/?next=/blog/%3Ffbclid%3DIwAR0_x">in</a><a href="?page=2&amp;utm_source=news">2</a>'
    without = '<a href="/login/?next=/blog/">in</a><a href="?page=2">2</a>'
    assert shown(with_it) == shown(without)


def test_when_a_form_was_shown_is_not_seen():
    assert shown('<p>a</p><input type="hidden" name="token" value="1">') == shown(
        '<p>a</p><input type="hidden" name="token" value="2">'
    )
    assert shown("<p>a</p>") != shown("<p>b</p>")


def test_the_same_seed_makes_the_same_visits():
    one, other = (list(islice(Traffic(PLACES, 5).visits(), 200)) for _ in range(2))
    assert one == other


def test_each_link_is_tracked_when_all_are():
    traffic = Traffic(PLACES, 3, tracking="all")
    addresses = [traffic.tracked("/blog/?page=2") for _ in range(50)]
    assert len(set(addresses)) == 50
    assert {normalised(address) for address in addresses} == {"/blog/?page=2"}


def test_nobody_likes_a_picture_twice():
    traffic = Traffic(PLACES, 3)
    traffic.chance = random.Random(1)
    acts = [visit for visit in islice(traffic.visits(), 5000) if visit.act]
    assert len({(act.act, act.member, act.target) for act in acts}) == len(acts) > 20


def test_a_comment_that_is_not_shown_is_stale():
    site = load()
    site.texts["/blog/"] = ["Remark 000001"]
    duties = Duties(site, "/blog/", None)
    site.texts["/blog/"].append("Remark 000002")  # answered after the page was asked for
    assert duties.missed(page("<p>Remark 000001</p>")) == []
    assert duties.missed(page("<p></p>")) == ["/blog/ lacks 'Remark 000001'"]


def test_fewer_likes_than_were_given_are_stale_and_more_are_not():
    site = load()
    site.least["like", "/images/detail/1/i/"] = 2
    duties = Duties(site, "/images/detail/1/i/", None)
    assert duties.missed(page("3 likes")) == []
    assert len(duties.missed(page("1 like"))) == 1


@pytest.mark.parametrize(
    ("member", "body", "number"),
    [
        (None, '<span class="word name">Mira1</span>', 1),
        (None, '<span class="word">Log in</span>', 0),
        (1, '<span class="word name">Mira1</span>', 0),
        (2, '<span class="word name">Mira1</span>', 2),  # another's, and not her own
        (1, '<p class="x">Log in</p>', 1),
    ],
)
def test_a_page_that_greets_somebody_else_is_foreign(member, body, number):
    assert len(load().strangers("/", page(body), member, is_visitor=member is None)) == number


def test_a_session_handed_to_a_visitor_is_foreign():
    answer = page("", set_cookie="sessionid=c1; Path=/")
    assert load().strangers("/", answer, None, is_visitor=True) == ["/ hands a visitor a session"]
