from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.test import TestCase
from django.urls import reverse
from playwright.sync_api import sync_playwright

from account.tests.factories import make_user
from config.management.services import chromium
from config.tests.picture_files import picture_bytes
from config.tests.sink import Sink, http_answer
from images.models import Image
from images.templatetags.images_tags import bookmarklet_address

CREATE = "https://atelier.example/images/create/"


def test_link_holds_all_of_its_code_and_loads_nothing_from_us():
    address = bookmarklet_address(CREATE)
    code = unquote(address)

    assert address.startswith("javascript:")
    assert not set(address) & set(' "\n`')
    assert f"'{CREATE}'" in code
    assert "SITE" not in code
    assert "/*" not in code
    for loading in ["createElement", "appendChild", "import(", "fetch(", "XMLHttpRequest", "eval(", "innerHTML"]:
        assert loading not in code
    assert len(address) < 5000


class PickerTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")

    def setUp(self):
        self.client.force_login(self.alice)

    def test_finds_are_offered_as_a_choice(self):
        query = {"url": ["https://a.example/1.jpg", "https://a.example/2.jpg", "https://a.example/1.jpg"], "page": "x"}

        response = self.client.get(reverse("images:image_create"), query)

        self.assertContains(response, 'type="radio"', count=2)
        self.assertContains(response, '<img src="https://a.example/2.jpg" alt="Picture 2"')
        assert "img-src 'self' data: https: http:" in response["Content-Security-Policy"]

    def test_policy_stays_strict_where_nothing_is_offered(self):
        response = self.client.get(reverse("images:image_create"), {"url": "https://a.example/1.jpg"})

        assert "https:" not in response["Content-Security-Policy"].split("img-src")[1].split(";")[0]

    def test_hostile_finds_are_not_offered(self):
        hostile = ["javascript:alert(1)", "data:image/png;base64,AA", "//x", "https://x/" + "x" * 3000]
        hostile += ['https://x.example/"onerror=alert(1)', "http://user@x.example/", "ftp://x.example/"]

        response = self.client.get(reverse("images:image_create"), {"url": hostile})

        self.assertNotContains(response, 'type="radio"')
        self.assertNotContains(response, "<img src")

    def test_choice_survives_a_refused_form(self):
        candidates = ["https://a.example/1.jpg", "https://a.example/2.jpg"]
        data = {"candidate": candidates, "source_url": candidates[1], "title": "x" * 300}

        response = self.client.post(reverse("images:image_create"), data)

        self.assertContains(response, "checked", count=1, status_code=422)
        self.assertContains(response, 'type="radio"', count=2, status_code=422)

    def test_chosen_one_is_saved(self):
        candidates = ["https://a.invalid/1.jpg", "https://a.invalid/2.jpg"]

        self.client.post(reverse("images:image_create"), {"candidate": candidates, "source_url": candidates[1]})

        assert Image.objects.get().source_url == candidates[1]

    def test_dashboard_has_the_button_to_drag(self):
        self.assertContains(self.client.get(reverse("account:dashboard")), 'href="javascript:')


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
def visited(harbour):
    """Open the page in a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(harbour[0])
        yield page
        browser.close()


def press(page, base: str) -> None:
    """Run the code as a press on the bookmark does: neither is subject to the page's own policy."""
    page.evaluate(unquote(bookmarklet_address(f"{base}/create").removeprefix("javascript:")))


def asked_for(requests: list[str]) -> dict[str, list[str]]:
    asked = next(request.split(" ")[1] for request in requests if request.startswith("GET /create"))
    return parse_qs(urlsplit(asked).query)


@pytest.mark.browser
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


@pytest.mark.browser
def test_where_new_windows_are_blocked_the_picker_opens_in_this_one(harbour, visited):
    base, requests = harbour
    visited.evaluate("window.open = function () { return null; }")

    with visited.expect_navigation():
        press(visited, base)

    assert visited.url.startswith(f"{base}/create?")
    assert f"{base}/big.png" in asked_for(requests)["url"]
    visited.go_back()
    assert visited.url == f"{base}/"
