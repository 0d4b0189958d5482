"""Hostile words in a real browser, and writing as an editor does it."""

import pytest
from playwright.sync_api import Page, expect

from account.tests.factories import PASSWORD, make_user
from blog.models import Comment
from blog.tests.factories import make_comment, make_post
from content.tests.test_markdown import VECTORS

pytestmark = pytest.mark.browser


def test_no_script_of_a_post_or_comment_ever_runs(page: Page) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    post = make_post("Hostile", body="\n\n".join(VECTORS))
    for number, vector in enumerate(VECTORS):
        make_comment(post, body=vector, email=f"spam{number}@example.com")

    for address in ("/blog/", post.get_absolute_url(), "/blog/search/?query=hostile"):
        page.goto(address)
        page.wait_for_timeout(300)
        for link in page.locator(".prose a[href], .comment-body a[href]").all():
            assert not (link.get_attribute("href") or "").strip().lower().startswith(("javascript", "data", "vbscript"))

    assert dialogs == []


def test_a_visitor_comments_without_javascript_and_waits(plain_page: Page) -> None:
    post = make_post("About oak")
    plain_page.goto(post.get_absolute_url())
    plain_page.get_by_label("Name").fill("Charlie")
    plain_page.get_by_label("E-mail address").fill("charlie@example.com")
    plain_page.get_by_label("Comment", exact=True).fill("Well said.\n\nhttps://example.com/more")
    plain_page.wait_for_timeout(3500)  # people take longer than scripts

    plain_page.get_by_role("button", name="Send comment").click()

    expect(plain_page.get_by_text("read and approved")).to_be_visible()
    assert Comment.objects.get().state == "waiting"


def test_the_editor_sees_the_text_take_shape(page: Page) -> None:
    make_user("editor", staff=True)
    page.goto("/admin/blog/post/add/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    page.get_by_label("Body").fill("Some **bold** words")

    expect(page.locator(".markdown-rendered strong")).to_have_text("bold")
