"""
What people come to Atelier for, one step a function, by what they read and click.

Nothing here needs JavaScript, so the same steps run with and without it (test_journey.py).
"""

import csv
import email
import io
import re
from collections.abc import Callable
from contextlib import suppress
from email import policy

from playwright.sync_api import Error, Page, expect
from pypdf import PdfReader

from account.tests.factories import PASSWORD, make_user
from blog.tests.factories import make_post
from content.tests.picture_files import picture_bytes
from core.tests.waiting import wait_until
from orders.models import Order
from shop.tests.factories import make_category, make_product
from tests import processes

Shot = Callable[[str], None]


def fill_the_house() -> None:
    """Write what the journey meets: posts, products and one of the staff."""
    author = make_user("alice", staff=True)
    make_post("How we glaze a teapot", author=author, tags=("pottery",), body="Cobalt, *twice*, and patience.")
    make_post("A week of bookbinding", author=author, tags=("paper",))
    pottery = make_category("Pottery", slug="pottery")
    make_product("Blue teapot", category=pottery, slug="blue-teapot", price="48.00", stock=3)
    make_product("Tea bowl", category=pottery, slug="tea-bowl", price="12.50")


def read_and_search(page: Page, shot: Shot) -> None:
    page.goto("/")
    shot("home")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Blog").click()
    expect(page.get_by_role("link", name="A week of bookbinding").first).to_be_visible()
    shot("blog")

    page.get_by_label("Search the blog").fill("glazing teapots")
    page.get_by_label("Search the blog").press("Enter")
    shot("search")
    page.get_by_role("main").get_by_role("link", name="How we glaze a teapot").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("How we glaze a teapot")
    expect(page.get_by_role("main")).to_contain_text("Cobalt, twice, and patience.")
    shot("post")


def join(page: Page, shot: Shot) -> None:
    page.goto("/account/register/")
    page.get_by_label("Username").fill("bob")
    page.get_by_label("First name").fill("Bob")
    page.get_by_label("E-mail address").fill("bob@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    shot("register")
    page.get_by_role("main").get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("check your mail")

    proof = mail_to("bob@example.com")
    page.goto(re.search(r"http://\S+/account/register/\S+", text_of(proof)).group())
    page.get_by_role("main").get_by_role("button").click()
    log_in(page, "bob@example.com")

    expect(page).to_have_url(re.compile("/account/$"))
    shot("dashboard")


def log_in(page: Page, name: str) -> None:
    page.goto("/account/login/")
    page.get_by_label("Username or e-mail address").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in").first).to_be_visible()


def save_pictures(page: Page, shot: Shot, picture_url: str) -> None:
    page.goto("/images/create/")
    page.get_by_label("Address of a picture or a page").fill(picture_url)
    page.get_by_label("Title").fill("Kiln at night")
    shot("save-picture")
    page.get_by_role("main").get_by_role("button", name="Save").click()
    page.wait_for_url("**/images/detail/**")
    look_until(page, page.locator("#picture img"))
    shot("picture-by-address")

    page.goto("/images/create/")
    upload = {"name": "glaze-test.png", "mimeType": "image/png", "buffer": picture_bytes("PNG", (640, 480))}
    page.get_by_label("Or a file of yours").set_input_files(upload)
    page.get_by_role("main").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("glaze test")
    page.get_by_role("button", name="Like").click()
    expect(page.get_by_role("button", name="Unlike")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("1 like")
    shot("picture-by-upload")

    assert processes.run("tick", "--now").returncode == 0  # runs each minute, and adds up who looked
    page.goto("/images/ranking/")
    expect(page.get_by_role("main").get_by_role("link", name="Kiln at night").first).to_be_visible()
    shot("ranking")


def look_until(page: Page, wanted) -> None:
    """Look again until background work shows; a page with JavaScript would do so by itself."""

    def is_there() -> bool:
        with suppress(Error):  # the page is just reloading itself
            page.reload()
        return bool(wanted.count())

    wait_until(is_there)


def buy_as_guest(page: Page, shot: Shot) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Shop").click()
    shot("catalogue")
    page.get_by_role("link", name="Blue teapot").first.click()
    page.get_by_label("Quantity").fill("2")
    shot("product")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("main")).to_contain_text(re.compile("your cart", re.IGNORECASE))
    page.goto("/cart/")
    expect(page.get_by_role("main")).to_contain_text("96.00")
    shot("cart")
    page.get_by_role("link", name="To checkout").click()

    answers = {"E-mail": "carol@example.com", "First name": "Carol", "Last name": "Example"}
    answers |= {"Address": "7 Kiln Street", "Postal code": "10115", "City": "Berlin"}
    for label, answer in answers.items():
        page.get_by_label(label, exact=True).fill(answer)
    page.get_by_label("I agree to the terms").check()
    shot("checkout")
    page.get_by_role("button", name="Order and pay").click()
    pay_at_stripe(page, shot)

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, your order is paid")
    shot("paid")
    page.get_by_role("link", name="See the order").click()
    shot("order")


def pay_at_stripe(page: Page, shot: Shot) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text("To pay")
    shot("stripe")
    page.get_by_role("button", name="Pay").click()


def get_invoice_by_mail() -> None:
    order = Order.objects.get()
    confirmation = mail_to(order.email, about="order")
    invoice = mail_to(order.email, about="invoice")

    assert f"#{order.pk}" in confirmation["subject"]
    (paper,) = invoice.iter_attachments()
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.get_content())).pages)
    assert paper.get_content_type() == "application/pdf"
    assert "Carol Example" in text
    assert "2 Blue teapot" in text or "Blue teapot" in text


def work_as_staff(page: Page, shot: Shot) -> None:
    order = Order.objects.get()
    log_in(page, "alice")
    page.goto("/admin/orders/order/")
    shot("admin-orders")
    page.locator("input.action-select").first.check()
    page.get_by_role("combobox", name="Action").select_option(label="Export as CSV, a row for each order")
    with page.expect_download() as started:
        page.get_by_role("button", name="Go").click()
    (row,) = csv.DictReader(started.value.path().read_text("utf-8-sig").splitlines())
    assert "carol@example.com" in row.values()

    page.goto(f"/orders/admin/order/{order.pk}/")
    expect(page.get_by_role("heading", level=1).last).to_contain_text(f"Order #{order.pk}")
    shot("admin-order-to-print")
    pdf = page.request.get(f"/orders/admin/order/{order.pk}/pdf/")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.body().startswith(b"%PDF")


def mail_to(address: str, *, about: str = "") -> email.message.EmailMessage:
    """Wait for the mail to this address whose subject holds the word, and return the newest."""
    found: list[email.message.EmailMessage] = []

    def has_come() -> bool:
        mails = (email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in processes.sent_mails())
        found[:] = [mail for mail in mails if mail["to"] == address and about in mail["subject"].lower()]
        return bool(found)

    wait_until(has_come)
    return found[-1]


def text_of(mail: email.message.EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()
