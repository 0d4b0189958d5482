from django.test import TestCase

from core.web.tests.sitemap_files import file_of
from shop.tests.factories import make_category, make_product


class ShopSitemapTests(TestCase):
    def test_products_on_show_and_filled_categories_are_listed(self):
        make_category("Empty", slug="empty")
        shown = make_product(category=make_category("Pottery", slug="pottery"))
        hidden = make_product(is_on_show=False)

        products = self.client.get(f"/sitemap-products-{file_of(shown)}.xml")
        self.assertContains(products, shown.get_absolute_url())
        self.assertNotContains(products, hidden.get_absolute_url())
        lists = self.client.get("/sitemap-shop-1.xml")
        self.assertContains(lists, "/shop/pottery/<")
        self.assertNotContains(lists, "/shop/empty/")
