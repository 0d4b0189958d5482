"""Every page that needs no content, in a browser that complains about scripts, styles and server errors."""

import pytest

pytestmark = pytest.mark.browser

PAGES = ["/", "/about/", "/terms/", "/shop/", "/cart/", "/search/?q=tea", "/no-such-page/"]


def test_a_visitor_sees_every_page_without_a_complaint_of_the_browser(page):
    for path in PAGES:
        page.goto(path)

        assert page.locator("h1").count() == 1, path


def test_the_same_pages_without_javascript(plain_page):
    for path in PAGES:
        plain_page.goto(path)

        assert plain_page.locator("h1").count() == 1, path
