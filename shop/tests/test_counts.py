"""The number of products on show that each category keeps: moved by the verbs, and looked at by a count of all."""

from io import StringIO
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import TestCase, TransactionTestCase

from core.tests.races import all_at_once
from shop.counts import recount
from shop.listing import categories
from shop.models import Category, Product
from shop.tasks import align_category_counts
from shop.tests.factories import make_category, make_product


def kept() -> dict[str, int]:
    assert list(recount(write=False)) == []
    return dict(Category.objects.values_list("name", "shown_count"))


class CountTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.prints, cls.books = make_category("Prints"), make_category("Books")
        cls.print = make_product(category=cls.prints)
        cls.book = make_product(category=cls.books)
        cls.hidden = make_product(category=cls.books, is_on_show=False)

    def test_what_is_on_show_is_counted_when_it_is_written(self):
        assert kept() == {"Prints": 1, "Books": 1}

    def test_a_product_that_is_hidden_or_moved_is_counted_where_it_is(self):
        self.print.category = self.books
        self.print.save()
        assert kept() == {"Prints": 0, "Books": 2}

        self.print.is_on_show = False
        self.print.save(update_fields=["is_on_show"])
        self.print.save()
        assert kept() == {"Prints": 0, "Books": 1}

        self.hidden.is_on_show = True
        self.hidden.save()
        assert kept() == {"Prints": 0, "Books": 2}

    def test_a_save_of_other_columns_counts_nothing(self):
        Product.objects.filter(pk=self.print.pk).hide()
        self.print.save(update_fields=["name"])  # a copy that believes itself on show

        assert kept() == {"Prints": 0, "Books": 1}

    def test_many_shown_or_hidden_at_once_are_counted_once_each(self):
        for _ in range(2):
            Product.objects.all().show()
            assert kept() == {"Prints": 1, "Books": 2}
        for _ in range(2):
            Product.objects.all().hide()
            assert kept() == {"Prints": 0, "Books": 0}

    def test_a_product_that_is_deleted_is_counted_no_more(self):
        self.book.delete()
        self.hidden.delete()

        assert kept() == {"Prints": 1, "Books": 0}

    def test_a_category_that_was_loaded_before_undoes_no_count(self):
        old = Category.objects.get(pk=self.prints.pk)
        make_product(category=self.prints)
        old.name = "Posters"
        old.save()

        assert kept() == {"Posters": 2, "Books": 1}

    def test_the_list_of_what_is_in_stock_leaves_out_what_is_sold_out(self):
        make_product(category=self.prints, stock=0)
        make_product(category=self.prints, stock=0, is_on_show=False)
        Category.objects.create(name="Empty", slug="empty")

        def numbers(*, in_stock: bool) -> dict[str, int]:
            return {each.name: each.product_count for each in categories(in_stock=in_stock)}

        assert numbers(in_stock=False) == {"Prints": 2, "Books": 1, "Empty": 0}
        assert numbers(in_stock=True) == {"Prints": 1, "Books": 1, "Empty": 0}

    def test_what_somebody_wrote_past_the_verbs_is_found_and_put_right(self):
        Product.objects.filter(pk=self.book.pk).update(is_on_show=False)
        Category.objects.filter(pk=self.prints.pk).update(shown_count=7)
        with pytest.raises(CommandError, match="2 numbers are wrong"):
            call_command("rebuild_category_counts", check=True, stdout=StringIO())

        out = StringIO()
        call_command("rebuild_category_counts", stdout=out)
        assert out.getvalue() == "Prints: 7 should be 1\nBooks: 1 should be 0\n2 numbers put right.\n"
        assert kept() == {"Prints": 1, "Books": 0}

        call_command("rebuild_category_counts", check=True, stdout=StringIO())

    def test_the_sweep_puts_right_what_the_former_release_wrote(self):
        Category.objects.update(shown_count=F("shown_count") + 1)

        align_category_counts()

        assert kept() == {"Prints": 1, "Books": 1}


class StockChangeTests(TransactionTestCase):
    def test_a_sale_does_not_have_the_categories_counted_again(self):  # D90
        product = make_product(stock=5)
        categories(in_stock=False)
        Product.objects.take(product.pk, 1)

        with self.assertNumQueries(0):
            assert categories(in_stock=False)[0].product_count == 1


class RaceTests(TransactionTestCase):
    def setUp(self):
        make_product("Another")
        self.product = make_product()

    def hide(self, _number: int) -> None:
        product = Product.objects.get(pk=self.product.pk)
        product.is_on_show = False
        product.save()

    def test_a_product_hidden_by_many_at_once_is_counted_off_once(self):
        all_at_once(self.hide, range(8))

        assert list(kept().values()) == [1]

    def test_without_a_look_under_the_lock_it_is_counted_off_by_each(self):
        count, was = Product._count, self.product.category_id
        with patch.object(Product, "_count", lambda product, _was: count(product, was)):
            all_at_once(self.hide, range(4))

        assert Category.objects.get().shown_count == -2
