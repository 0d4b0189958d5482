"""Searching as a person does it: results while typing, and a plain form without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from search.tests.factories import make_document

pytestmark = pytest.mark.browser


def test_results_appear_while_typing(page: Page) -> None:
    make_document("Glazing with ash", "How wood ash becomes a glaze.")
    make_document("Walnut stool", kind="product")

    page.goto("/search/")
    page.get_by_label("Words to look for").press_sequentially("glaz", delay=20)

    expect(page.get_by_role("link", name="Glazing with ash")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("1 result")
    expect(page).to_have_url("/search/?q=glaz")
    expect(page.get_by_label("Words to look for")).to_be_focused()


def test_without_scripts_the_form_does_it(plain_page: Page) -> None:
    make_document("Walnut stool", kind="product")

    plain_page.goto("/search/")
    plain_page.get_by_label("Words to look for").fill("wallnut")
    plain_page.get_by_label("Words to look for").press("Enter")

    expect(plain_page.get_by_role("link", name="Walnut stool")).to_be_visible()
    expect(plain_page.get_by_role("status")).to_contain_text("walnut")
    plain_page.get_by_role("link", name="Posts").click()
    expect(plain_page.get_by_role("link", name="Search everything")).to_be_visible()
