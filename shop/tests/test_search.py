from django.test import TestCase
from django.urls import reverse
from django.utils.html import strip_tags

from account.tests.factories import make_user
from search.engines import search
from search.query import parse
from shop.models import Product
from shop.tests.factories import make_category, make_product


class ProductSearchTests(TestCase):
    def found(self, words: str) -> list[str]:
        return [strip_tags(hit.title) for hit in search(parse(words), kind="product").hits]

    def setUp(self):
        self.pottery = make_category("Pottery")
        self.vase = make_product("Vase", category=self.pottery, description="Thrown from stoneware.")

    def test_product_is_found_by_name_description_and_category(self):  # D87
        assert self.found("vase") == self.found("stoneware") == self.found("pottery") == ["Vase"]

    def test_product_off_show_is_not_found_until_it_is_back(self):
        Product.objects.filter(pk=self.vase.pk).hide()
        assert self.found("vase") == []

        Product.objects.filter(pk=self.vase.pk).show()
        assert self.found("vase") == ["Vase"]

    def test_changes_are_found_at_once(self):
        self.vase.name = "Carafe"
        self.vase.save()
        assert (self.found("carafe"), self.found("vase")) == (["Carafe"], [])

        self.pottery.name = "Ceramics"
        self.pottery.save()
        assert self.found("ceramics") == ["Carafe"]

    def test_deleted_product_is_not_found(self):
        self.vase.delete()

        assert self.found("vase") == []

    def test_admin_actions_keep_the_index(self):
        self.client.force_login(make_user("staff", staff=True))
        url = reverse("admin:shop_product_changelist")

        self.client.post(url, {"action": "hide", "_selected_action": self.vase.pk})
        assert self.found("vase") == []
        self.client.post(url, {"action": "show", "_selected_action": self.vase.pk})
        assert self.found("vase") == ["Vase"]
        self.client.post(url, {"action": "delete_selected", "_selected_action": self.vase.pk, "post": "yes"})
        assert self.found("vase") == []
