"""What axe-core sees on every page and in the states that people get into: errors, a full cart, the dark, the admin."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from account.models import User
from blog.models import Post
from demo.people import MEMBER, STAFF
from orders.models import Order
from shop.models import Product

from .test_look import content, log_in, member_pages, public_pages  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser

AXE = Axe()


def violations(page, rules=None):
    """Return what axe-core objects to on the page as it is now, best practices included."""
    only = {"runOnly": rules} if rules else {}
    page.evaluate("document.getAnimations().forEach((each) => each.finish())")  # colours on their way are nobody's
    found = AXE.run(page, options={"resultTypes": ["violations"], "preload": False, **only}).response["violations"]
    return [f"{page.url} {each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


def violations_in_both_lights(page):
    page.emulate_media(color_scheme="light")
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    return found + violations(page, ["color-contrast", "link-in-text-block"])


def violations_of(page, addresses):
    found = []
    for address in addresses:
        assert page.goto(address).status == 200, address
        found += violations_in_both_lights(page)
    return found


def test_visitors_pages(page, site, content):  # noqa: F811
    assert violations_of(page, public_pages()) == []


def test_members_pages(page, site, content):  # noqa: F811
    Order.objects.filter(pk__in=Order.objects.values("pk")[:2]).update(buyer=User.objects.get(username=MEMBER))
    log_in(page, MEMBER)
    more = [reverse(f"account:{name}") for name in ("session_list", "second_factor_setup", "email_change", "leave")]
    more.append(reverse("account:mute_and_block_list"))
    assert violations_of(page, [*member_pages(), *more]) == []


def test_forms_with_mistakes(page, site, content):  # noqa: F811
    post = Post.objects.published().first()
    found = []
    for address, button in [
        (reverse("login"), "Log in"),
        (reverse("account:register"), "Register"),
        (reverse("blog:post_share", args=[post.pk]), "Send"),
        (post.get_absolute_url(), "Send comment"),
    ]:
        page.goto(address)
        send_as_it_is(page, button)
        found += violations_in_both_lights(page)
    assert found == []


def send_as_it_is(page, button):
    """Press a button of a form that the browser would not let go."""
    page.evaluate("document.querySelectorAll('main form').forEach((form) => { form.noValidate = true; })")
    page.get_by_role("main").get_by_role("button", name=button, exact=True).click()
    page.locator("[aria-invalid=true], .errors").first.wait_for(state="attached")
    page.wait_for_load_state()


def test_purchase(page, site, content):  # noqa: F811
    page.goto(Product.objects.on_show().exclude(stock=0).first().get_absolute_url())
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="To your cart").wait_for()
    found = violations_in_both_lights(page)

    page.goto(reverse("cart:cart_detail"))
    page.get_by_label("Coupon code").fill("NONE")
    page.get_by_role("button", name="Apply").click()
    page.locator("[aria-invalid=true]").wait_for()
    found += violations_in_both_lights(page)

    page.goto(reverse("orders:order_create"))
    found += violations_in_both_lights(page)
    page.evaluate("document.querySelector('form.checkout').noValidate = true")
    page.locator("form.checkout button[type=submit]").first.click()
    page.locator(".errors").wait_for()
    assert page.evaluate("document.activeElement.className") == "errors"
    assert found + violations_in_both_lights(page) == []


def test_staffs_pages(page, site, content):  # noqa: F811
    log_in(page, STAFF)
    post, order = Post.objects.published().first(), Order.objects.first()
    lists = ("blog_post", "blog_comment", "blog_tag", "orders_order", "shop_product", "images_image", "account_user")
    addresses = [
        reverse("admin:index"),
        *(reverse(f"admin:{name}_changelist") for name in lists),
        reverse("admin:blog_post_add"),
        *(reverse(f"admin:blog_post_{name}", args=[post.pk]) for name in ("change", "preview_link", "revisions")),
        reverse("admin:orders_order_change", args=[order.pk]),
        reverse("orders:admin_order_detail", args=[order.pk]),
        reverse("admin:shop_product_change", args=[Product.objects.first().pk]),
    ]
    assert violations_of(page, addresses) == []
