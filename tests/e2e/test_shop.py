"""Buying as a person does it: the same clicks change the cart with JavaScript and without."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from cart.tests.factories import make_coupon
from shop.models import Product
from shop.tests.factories import make_category, make_product

pytestmark = pytest.mark.browser


@pytest.fixture
def vase(transactional_db: None) -> Product:
    make_coupon("SUMMER", percent=Decimal(10))
    return make_product("Blue vase", category=make_category("Pottery", slug="pottery"), price=Decimal(40), stock=5)


def change_the_cart(page: Page, vase: Product) -> None:
    """From the cart page on, scripts or not make no difference to what a person does and sees."""
    page.goto("/cart/")
    main = page.get_by_role("main")
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name="Change Blue vase").click()
    expect(main).to_contain_text("120.00")
    expect(page.get_by_role("link", name="Cart")).to_contain_text("3")

    page.get_by_label("Coupon code").fill("wrong")
    page.get_by_role("button", name="Apply").click()
    expect(main).to_contain_text("This code is not valid")
    page.get_by_label("Coupon code").fill("summer")
    page.get_by_role("button", name="Apply").click()
    expect(main).to_contain_text("108.00")

    vase.price = Decimal(50)
    vase.save()
    page.goto("/cart/")
    expect(main).to_contain_text("Blue vase now costs €50.00")
    page.goto("/cart/")
    expect(main).not_to_contain_text("now costs")

    page.get_by_role("button", name="Remove Blue vase").click()
    expect(main).to_contain_text("Your cart is empty.")


def test_the_cart_changes_in_place(page: Page, vase: Product) -> None:
    page.goto("/shop/")
    page.get_by_label("In stock only").check()
    expect(page).to_have_url("/shop/?sort=newest&in_stock=on")
    page.get_by_role("link", name="Blue vase").last.click()
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_text("2 in your cart.")).to_be_visible()
    expect(page).to_have_url(vase.get_absolute_url())
    expect(page.get_by_role("button", name="Add to cart")).to_be_focused()
    expect(page.get_by_role("link", name="Cart").first).to_contain_text("2")

    change_the_cart(page, vase)


def test_the_cart_changes_without_scripts(plain_page: Page, vase: Product) -> None:
    plain_page.goto("/shop/")
    plain_page.get_by_label("In stock only").check()
    plain_page.get_by_role("button", name="Show").click()
    plain_page.get_by_role("link", name="Blue vase").last.click()
    plain_page.get_by_label("Quantity").fill("2")
    plain_page.get_by_role("button", name="Add to cart").click()
    expect(plain_page.get_by_role("main")).to_contain_text("Blue vase is in your cart.")

    change_the_cart(plain_page, vase)
