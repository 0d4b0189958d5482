"""The pages that the web server shows when the program cannot: each holds all it needs, and all look the same."""

import re

from django.conf import settings

PAGES = sorted((settings.BASE_DIR / "static/error").glob("*.html"))
OWN = re.compile(r"(<title>|<p class=\"number\">|<h1>|<p>(?!<a))[^<]+")


def test_they_differ_in_their_words_only():
    assert len(PAGES) == 5
    assert len({OWN.sub(r"\1", page.read_text()) for page in PAGES}) == 1


def test_they_ask_for_nothing_else():
    for page in PAGES:
        assert re.findall(r"(?:src|href)=\"([^\"]+)|url\(|@import", page.read_text()) == ["/"], page


def test_each_is_the_page_of_its_number():
    for page in PAGES:
        assert f'<p class="number">{page.stem}</p>' in page.read_text()
