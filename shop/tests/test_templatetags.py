from decimal import Decimal
from types import SimpleNamespace

from django.conf import settings
from django.template import Context, Template
from django.test import TestCase

from shop.models.cards import Card, Cover
from shop.templatetags.shop_tags import mentioned_ids, product_cards
from shop.tests.factories import make_product


class ProductsMentionedTests(TestCase):
    def render(self, body_html: str) -> str:
        template = Template("{% load shop_tags %}{% products_mentioned post %}")
        return template.render(Context({"post": SimpleNamespace(body_html=body_html)}))

    def test_products_are_shown_in_the_order_of_the_text_in_one_query(self):
        vase, bowl = make_product("Vase"), make_product("Bowl")
        body = f'<p><a href="{bowl.get_absolute_url()}">a</a> <a rel="x" href="{settings.SITE_URL}/shop/{vase.pk}/old/">b</a></p>'

        with self.assertNumQueries(1):
            shown = self.render(body)

        assert 0 < shown.index("Bowl") < shown.index("Vase")

    def test_post_without_products_costs_nothing(self):
        with self.assertNumQueries(0):
            assert (
                self.render('<p><a href="/shop/">x</a> <a href="https://else.example/shop/1/x/">y</a></p>').strip()
                == ""
            )

    def test_gone_and_hidden_products_are_left_out(self):
        hidden = make_product(is_on_show=False)

        assert self.render(f'<a href="/shop/{hidden.pk}/x/">x</a><a href="/shop/999/x/">y</a>').strip() == ""

    def test_absurd_numbers_are_no_products(self):
        assert mentioned_ids(f'<a href="/shop/{"9" * 40}/x/">x</a>') == []
        assert len(self.render(f'<a href="/shop/{"9" * 18}/x/">x</a>').strip()) == 0


def test_card_of_a_list_weighs_little():
    file = f"products/08/{32 * 'a'}.jpg"
    card = Card(29, "Ampersand, Two Colours", "ampersand", Decimal(38), 3, False, Cover(file, "A print", 900, 900))

    assert len(product_cards([card])) <= 500
