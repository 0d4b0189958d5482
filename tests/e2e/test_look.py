"""What must hold on every page, whatever it shows: found by looking at each in a narrow window."""

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.urls import reverse
from playwright.sync_api import expect

from account.models import User
from blog.models import Post
from demo.people import MEMBER, PASSWORD, STAFF
from images.models import Image
from orders.models import Order
from payment.models import Payment
from shop.models import Product

pytestmark = pytest.mark.browser

NARROW = {"width": 320, "height": 700}
FAULTS = """() => {
  const faults = [], all = (selector) => [...document.querySelectorAll(selector)];
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) faults.push(`scrolls sideways by ${page.scrollWidth - page.clientWidth}`);
  if (all("h1").length !== 1) faults.push(`${all("h1").length} h1`);
  if (all("main").length !== 1) faults.push("no single main");
  if (!page.lang || !document.title) faults.push("no language or title");
  if (!document.querySelector("meta[name=description]").content.trim()) faults.push("no description");
  const cards = all("meta[property='og:image']");
  if (cards.length !== 1 || !cards[0].content.startsWith("http")) faults.push(`${cards.length} pictures for sharing`);
  const ids = all("[id]").map((each) => each.id);
  const doubled = ids.filter((id, place) => ids.indexOf(id) !== place);
  if (doubled.length) faults.push(`id used twice: ${doubled}`);
  for (const image of all("img:not([hidden])"))
    if (!image.hasAttribute("alt") || !image.getAttribute("width") || !image.getAttribute("height"))
      faults.push(`picture without alt or size: ${image.outerHTML.slice(0, 90)}`);
  for (const field of all("input:not([type=hidden]), select, textarea"))
    if (!field.labels.length && !field.getAttribute("aria-label")) faults.push(`no label: ${field.name}`);
  for (const press of all("a[href], button"))
    if (!press.textContent.trim() && !press.querySelector("img[alt]:not([alt=''])")
        && !press.getAttribute("aria-label") && !press.closest("[aria-hidden=true]"))
      faults.push(`no name: ${press.outerHTML.slice(0, 90)}`);
  const level = (heading) => Number(heading.tagName[1]);
  const headings = all("h1, h2, h3, h4, h5, h6");
  headings.forEach((heading, place) => {
    if (place && level(heading) > level(headings[place - 1]) + 1) faults.push(`heading skips: ${heading.textContent.trim()}`);
  });
  return faults;
}"""


@pytest.fixture
def content(transactional_db):
    with override_settings(DEBUG=True):
        call_command("demo", posts=6, pictures=4, products=6, orders=8, verbosity=0)


def public_pages():
    post = Post.objects.published().filter(body__contains="```").first() or Post.objects.published().first()
    return [
        *(reverse(name) for name in ("home", "about", "terms", "search", "login", "password_reset")),
        *(reverse(f"blog:{name}") for name in ("post_list", "post_search")),
        *(reverse(f"images:{name}") for name in ("image_list", "image_ranking")),
        *(reverse(name) for name in ("shop:product_list", "cart:cart_detail", "account:register", "account:user_list")),
        reverse("search") + "?q=paper",
        reverse("orders:withdrawal"),
        reverse("images:image_list_by_owner", args=[MEMBER]),
        post.get_absolute_url(),
        reverse("blog:post_share", args=[post.pk]),
        *(Model.objects.first().get_absolute_url() for Model in (Image, Product)),
    ]


def member_pages():
    return [
        *(reverse(f"account:{name}") for name in ("dashboard", "edit")),
        *(reverse(name) for name in ("orders:order_list", "images:image_create", "password_change")),
        User.objects.exclude(username=MEMBER).first().get_absolute_url(),
        *(order.get_absolute_url() for order in Order.objects.filter(buyer__username=MEMBER)[:3]),
    ]


def staff_pages():
    return [reverse("payment:refund", args=[payment.order_id]) for payment in Payment.objects.accepted()[:2]]


def log_in(page, name):
    page.goto(reverse("login"))
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url("**/account/")


def faults_of(page, addresses):
    found = {}
    for address in addresses:
        page.goto(address)
        if faults := page.evaluate(FAULTS):
            found[address] = faults
    return found


def test_every_page_holds_in_a_narrow_window_and_asks_nobody_else(page, site, content):
    asked = set()
    page.on("request", lambda request: asked.add(request.url))
    page.set_viewport_size(NARROW)
    Order.objects.filter(pk__in=Order.objects.values("pk")[:3]).update(buyer=User.objects.get(username=MEMBER))

    assert faults_of(page, public_pages()) == {}

    log_in(page, MEMBER)
    assert faults_of(page, member_pages()) == {}
    page.goto(reverse("account:edit"))
    page.context.clear_cookies()
    page.get_by_role("main").get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have been logged out meanwhile")
    assert page.evaluate(FAULTS) == []

    log_in(page, STAFF)
    assert faults_of(page, staff_pages()) == {}
    assert [address for address in asked if not address.startswith((site.url, "data:"))] == []


def test_keyboard_and_colours(page, site):
    page.goto(reverse("home"))
    reach_the_content_by_keyboard(page)

    page.emulate_media(color_scheme="light")
    light = paper(page)
    page.get_by_role("button", name="Dark").click()
    page.goto(reverse("about"))
    assert paper(page) != light

    page.get_by_role("button", name="As the system").click()
    assert paper(page) == light
    page.emulate_media(color_scheme="dark")
    assert paper(page) != light


def reach_the_content_by_keyboard(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    page.wait_for_url("**/#main")
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('main'))")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def paper(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_theme_switch_stays_away_without_javascript(plain_page, site):
    plain_page.goto(reverse("home"))

    assert not plain_page.get_by_role("group", name="Colours").is_visible()
