"""The bookmarklet on somebody else's page: it reads, touches nothing, and opens our picker."""

from contextlib import closing
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Browser

from content.tests.picture_files import picture_bytes
from core.tests.sink import Sink, http_answer
from images.templatetags.images_tags import bookmarklet_address

pytestmark = pytest.mark.browser

PICTURES = {
    **{"og": 9, "big": 300, "tiny": 16, "x1": 150, "x2": 320, "bg": 9, "small": 130, "wide": 130, "new": 130},
    **{"late": 9, "later": 9, "dot": 1},
}
SHOWN = b"""<title>Harbour</title><meta property="og:image" content="/og.png"><link rel=stylesheet href="/s.css">
<img src="/big.png"><img src="/tiny.png"><img src="/x1.png" srcset="/x1.png 1x, /x2.png 2x">
<picture><source type="image/avif" srcset="/new.png"><source type="image/png" srcset="/small.png 400w, /wide.png 1600w">
<img src="/small.png"></picture>
<img class="slot" src="/dot.png" data-src="/late.png"><img class="slot" data-srcset="/dot.png 1x, /later.png 2x">
<div class="hero">Hero</div>"""
CSS = b".hero{background:url(/bg.png);width:400px;height:200px} .slot{width:200px;height:200px;display:block}"
STRICT = "default-src 'none'; img-src 'self'; style-src 'self'"


@pytest.fixture
def harbour():
    """Serve a page with a strict policy and pictures of every kind; gives its address and what was asked for."""
    sink = Sink()
    sink.answers["/"] = http_answer(SHOWN, Content_Type="text/html", Content_Security_Policy=STRICT)
    sink.answers["/create"] = http_answer(b"<title>Picker</title>", Content_Type="text/html")
    sink.answers["/s.css"] = http_answer(CSS, Content_Type="text/css")
    for name, width in PICTURES.items():
        sink.answers[f"/{name}.png"] = http_answer(picture_bytes("PNG", (width, width)), Content_Type="image/png")
    yield f"http://127.0.0.1:{sink.port}", sink.requests
    sink.close()


@pytest.fixture
def visited(browser: Browser, harbour):
    """Open the page in a browser."""
    with closing(browser.new_context()) as context:
        page = context.new_page()
        page.goto(harbour[0])
        yield page


def press(page, base: str) -> None:
    """Run the code as a press on the bookmark does: neither is subject to the page's own policy."""
    page.evaluate(unquote(bookmarklet_address(f"{base}/create").removeprefix("javascript:")))


def asked_for(requests: list[str]) -> dict[str, list[str]]:
    asked = next(request.split(" ")[1] for request in requests if request.startswith("GET /create"))
    return parse_qs(urlsplit(asked).query)


def test_bookmarklet_reads_a_page_with_a_strict_policy_and_opens_our_picker(harbour, visited):
    base, requests = harbour
    before = visited.content()

    with visited.context.expect_page() as opening:
        press(visited, base)
    opening.value.wait_for_load_state()

    assert visited.content() == before
    assert visited.url == f"{base}/"
    assert opening.value.evaluate("window.opener") is None
    query = asked_for(requests)
    assert query["title"] == ["Harbour"]
    assert query["page"] == [f"{base}/"]
    wanted = ["og", "x2", "big", "bg", "wide", "late", "later"]
    assert set(query["url"]) == {f"{base}/{name}.png" for name in wanted}


def test_where_new_windows_are_blocked_the_picker_opens_in_this_one(harbour, visited):
    base, requests = harbour
    visited.evaluate("window.open = function () { return null; }")

    with visited.expect_navigation():
        press(visited, base)

    assert visited.url.startswith(f"{base}/create?")
    assert f"{base}/big.png" in asked_for(requests)["url"]
    visited.go_back()
    assert visited.url == f"{base}/"
