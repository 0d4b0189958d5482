from decimal import Decimal

import pytest
from django.test import TestCase
from django.urls import reverse

from shop.tests.factories import make_category, make_picture, make_product


class ProductListTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.pottery = make_category("Pottery", slug="pottery")
        cls.prints = make_category("Prints", slug="prints")
        cls.vase = make_product("Vase", category=cls.pottery, price=Decimal("40"), stock=3)
        cls.bowl = make_product("Bowl", category=cls.pottery, price=Decimal("20"), stock=0)
        cls.poster = make_product("Poster", category=cls.prints, price=Decimal("30"))
        cls.hidden = make_product("Hidden", category=cls.prints, is_on_show=False)
        cls.url = reverse("shop:product_list")

    def names(self, url: str) -> list[str]:
        return [product.name for product in self.client.get(url).context["page"]]

    def test_list_shows_what_is_on_show_newest_first(self):
        assert self.names(self.url) == ["Poster", "Bowl", "Vase"]

    def test_category_shows_its_own_products_only(self):
        assert self.names(self.pottery.get_absolute_url()) == ["Bowl", "Vase"]

    def test_unknown_category_is_404(self):
        assert self.client.get("/shop/nothing/").status_code == 404

    def test_list_is_sorted_as_asked(self):  # D87
        assert self.names(f"{self.url}?sort=price") == ["Bowl", "Poster", "Vase"]
        assert self.names(f"{self.url}?sort=-price") == ["Vase", "Poster", "Bowl"]
        assert self.names(f"{self.url}?sort=name") == ["Bowl", "Poster", "Vase"]

    def test_senseless_choices_count_as_not_made(self):
        assert self.names(f"{self.url}?sort=;drop&in_stock=&page=abc") == ["Poster", "Bowl", "Vase"]

    def test_in_stock_filter_leaves_out_what_is_sold_out(self):
        assert self.names(f"{self.url}?in_stock=1") == ["Poster", "Vase"]

    def test_pills_count_what_the_list_shows_and_keep_the_choices(self):
        response = self.client.get(f"{self.url}?in_stock=1&sort=price")

        assert {each.name: each.product_count for each in response.context["categories"]} == {"Pottery": 1, "Prints": 1}
        self.assertContains(response, "/shop/pottery/?sort=price&amp;in_stock=True")

    def test_stock_is_told_only_when_it_matters(self):
        response = self.client.get(self.url)

        self.assertContains(response, "Only 3 left", count=1)
        self.assertContains(response, "Sold out", count=1)
        self.assertNotContains(response, "In stock<")

    def test_every_picture_has_its_alternative_text(self):  # D87
        make_picture(self.vase, alt="A blue vase")

        self.assertContains(self.client.get(self.url), 'alt="A blue vase"')

    def test_unicode_category_has_an_address(self):
        category = make_category("Töpferei", slug="töpferei")

        assert self.client.get(category.get_absolute_url()).status_code == 200


def fill(count: int) -> None:
    category = make_category()
    for _ in range(count):
        make_picture(make_product(category=category, stock=2))


@pytest.mark.django_db
@pytest.mark.parametrize("count", [10, 20, 40])
def test_list_takes_two_queries_however_long(client, django_assert_num_queries, count):
    fill(count)

    with django_assert_num_queries(2):
        response = client.get("/shop/?in_stock=1")

    assert len(response.context["page"]) == min(count, 24)
    assert not response.cookies


@pytest.mark.django_db
def test_pages_continue_and_odd_page_numbers_are_forgiven(client):  # D87
    category = make_category()
    for _ in range(30):
        make_product(category=category)

    def length(query: str) -> int:
        return len(client.get(f"/shop/{query}").context["page"])

    assert length("") == 24
    assert length("?page=2") == 6
    assert length("?page=99") == 6
    assert length("?page=-1") == 6
    assert length("?page=abc") == 24
