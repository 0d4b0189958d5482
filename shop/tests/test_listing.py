"""The statements that read the list of products find what the query sets find that count it."""

from itertools import product

from django.test import TestCase

from shop.listing import SORTS, products
from shop.models import Product
from shop.tests.factories import make_category, make_picture, make_product


class StatementTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.prints, cls.books = make_category("Prints"), make_category("Books")
        rows = product([cls.prints, cls.books], [0, 3, None], [True, False], ["9.50", "12.00"])
        for category, stock, is_on_show, price in rows:
            make_product(
                "Same", category=category, stock=stock, is_on_show=is_on_show, price=price, is_digital=not stock
            )
        make_picture(Product.objects.on_show().first())

    def test_each_list_has_the_rows_of_its_query_set_in_order(self):
        for sort, in_stock, category in product(SORTS, [True, False], [None, self.prints.pk]):
            listing = products(sort, in_stock=in_stock, category=category)
            rows = listing.rows().order_by(*SORTS[sort])
            pks = list(rows.values_list("pk", flat=True))

            with self.subTest(sort=sort, in_stock=in_stock, category=category):
                assert len(pks) == listing.count() > 3
                assert [card.pk for card in listing.first_rows(1, 50)] == pks[1:]
                assert [card.pk for card in listing.last_rows(1, 2, None)] == pks[-3:-1]
                place = tuple(rows.values_list(*(name.lstrip("-") for name in SORTS[sort]))[2])
                assert [card.pk for card in listing.last_rows(0, 50, place)] == pks[:3]

    def test_a_card_says_what_the_row_says(self):
        cards = products("newest", in_stock=False).first_rows(0, 50)

        assert cards == Product.objects.on_show().order_by("-pk").cards()
        assert {type(card.price).__name__ for card in cards} == {"Decimal"}
        assert {card.is_digital for card in cards} == {True, False}
        assert sum(card.cover is not None for card in cards) == 1
