from decimal import Decimal

from django.conf import settings
from django.test import TestCase

from shop.tests.factories import make_picture, make_product


class ProductDetailTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.vase = make_product("Vase", price=Decimal("40"), stock=12, description="Thrown *by hand*.")
        cls.url = cls.vase.get_absolute_url()

    def test_page_tells_price_vat_and_stock_in_words(self):
        response = self.client.get(self.url)

        self.assertContains(response, "€40.00")
        self.assertContains(response, "19 % VAT included")
        self.assertContains(response, "In stock")
        self.assertContains(response, f'action="/cart/add/{self.vase.pk}/"')

    def test_unavailable_product_is_404(self):
        hidden = make_product(is_on_show=False)

        assert self.client.get(hidden.get_absolute_url()).status_code == 404

    def test_unknown_product_is_404_even_when_the_number_is_absurd(self):
        assert self.client.get("/shop/999999/x/").status_code == 404
        assert self.client.get(f"/shop/{2**63}/x/").status_code == 404
        assert self.client.get(f"/shop/{'9' * 5000}/x/").status_code == 404

    def test_old_slug_leads_to_the_right_address(self):
        response = self.client.get(f"/shop/{self.vase.pk}/old-name/")

        self.assertRedirects(response, self.url, status_code=301)

    def test_sold_out_product_is_shown_but_cannot_be_bought(self):
        sold_out = make_product(stock=0)

        response = self.client.get(sold_out.get_absolute_url())

        self.assertContains(response, "Sold out")
        self.assertNotContains(response, f"/cart/add/{sold_out.pk}/")

    def test_visitor_without_session_gets_no_cookie_and_a_cacheable_page(self):
        response = self.client.get(self.url)

        assert not response.cookies
        assert not response.wsgi_request.session.accessed

    def test_link_previews_and_search_engines_are_told_what_is_shown(self):
        make_picture(self.vase, alt="A blue vase")

        response = self.client.get(self.url)

        self.assertContains(response, '<meta property="og:title" content="Vase">')
        self.assertContains(response, f'<meta property="og:image" content="{settings.SITE_URL}/media/products/')
        self.assertContains(
            response, '<meta itemprop="price" content="40.00"><meta itemprop="priceCurrency" content="EUR">'
        )
        self.assertContains(response, "https://schema.org/InStock")

    def test_wrong_method_is_405(self):
        assert self.client.post(self.url).status_code == 405

    def test_gallery_costs_one_query_however_many_pictures(self):
        for number in range(4):
            make_picture(self.vase, alt=f"View {number}")

        with self.assertNumQueries(3):  # the product, its pictures, posts about it
            response = self.client.get(self.url)

        self.assertContains(response, "<img", count=4)
