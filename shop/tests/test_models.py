from decimal import Decimal
from unittest.mock import patch

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.test import TestCase, override_settings

from content import markdown
from content.tests.picture_files import picture_bytes
from shop.models import Product
from shop.tests.factories import make_picture, make_product


class StockTests(TestCase):
    def stock(self, product: Product) -> int | None:
        return Product.objects.values_list("stock", flat=True).get(pk=product.pk)

    def test_taking_lowers_the_stock(self):
        product = make_product(stock=5)

        assert Product.objects.take(product.pk, 3)
        assert self.stock(product) == 2

    def test_taking_more_than_there_is_changes_nothing(self):
        product = make_product(stock=2)

        assert not Product.objects.take(product.pk, 3)
        assert self.stock(product) == 2

    def test_unlimited_stock_never_ends(self):
        product = make_product(stock=None)

        assert Product.objects.take(product.pk, 99)
        Product.objects.give_back(product.pk, 99)
        assert self.stock(product) is None

    def test_what_is_off_show_cannot_be_taken(self):
        assert not Product.objects.take(make_product(is_on_show=False).pk, 1)

    def test_giving_back_raises_the_stock(self):
        product = make_product(stock=0)

        Product.objects.give_back(product.pk, 2)

        assert self.stock(product) == 2

    def test_restocking_keeps_what_was_sold_since_the_count(self):
        product = make_product(stock=10)
        Product.objects.take(product.pk, 2)

        Product.objects.restock(product.pk, seen=10, counted=15)

        assert self.stock(product) == 13

    def test_restocking_stops_at_zero(self):
        product = make_product(stock=3)
        Product.objects.take(product.pk, 2)

        Product.objects.restock(product.pk, seen=3, counted=0)

        assert self.stock(product) == 0

    def test_stock_can_become_unlimited_and_limited_again(self):
        product = make_product(stock=3)

        Product.objects.restock(product.pk, seen=3, counted=None)
        assert self.stock(product) is None
        Product.objects.restock(product.pk, seen=None, counted=7)
        assert self.stock(product) == 7

    def test_saving_an_old_copy_undoes_neither_a_sale_nor_a_cover(self):
        product = make_product(stock=5)
        Product.objects.take(product.pk, 3)
        picture = make_picture(product)

        product.price = Decimal("99")
        product.save()

        now = Product.objects.get(pk=product.pk)
        assert (now.stock, now.cover, now.price) == (2, picture, Decimal("99"))

    def test_database_refuses_a_negative_stock(self):
        product = make_product(stock=1)

        with pytest.raises(IntegrityError), transaction.atomic():
            Product.objects.filter(pk=product.pk).update(stock=-1)


class PriceTests(TestCase):
    def errors(self, price: str) -> list[str]:
        product = make_product()
        product.price = Decimal(price)
        try:
            product.full_clean()
        except ValidationError as error:
            return [each.code for each in error.error_dict["price"]]
        return []

    def test_price_keeps_to_the_currency(self):
        assert self.errors("12.50") == []
        assert self.errors("12.505") == ["too_many_decimals"]
        with override_settings(SHOP_CURRENCY="JPY"):
            assert self.errors("1250") == []
            assert self.errors("12.50") == ["too_many_decimals"]
        with override_settings(SHOP_CURRENCY="BHD"):
            assert self.errors("12.500") == []
            assert self.errors("12.505") == ["too_many_decimals"]

    def test_price_is_more_than_zero(self):
        assert self.errors("0") == ["not_positive"]
        assert self.errors("-1") == ["not_positive"]


class DescriptionTests(TestCase):
    def test_markdown_is_rendered_and_cleaned_on_save(self):
        product = make_product(description="Made *by hand*. <script>alert(1)</script> [x](javascript:alert(1))")

        assert "<em>by hand</em>" in product.description_html
        assert "script>" not in product.description_html
        assert "javascript:" not in product.description_html

    def test_saving_a_price_does_not_lose_the_description(self):
        product = make_product(description="Made *by hand*.")

        Product.objects.get(pk=product.pk).save(update_fields=["price"])

        assert "<em>" in Product.objects.get(pk=product.pk).description_html

    def test_hostile_markdown_is_refused_with_a_sentence(self):
        product = make_product()
        product.description = "[" * 40_000

        with (
            patch("content.markdown.render", side_effect=markdown.TooSlow),
            pytest.raises(ValidationError, match="too long"),
        ):
            product.full_clean()


class PictureFileTests(TestCase):
    def test_files_go_with_their_picture_or_product(self):
        product = make_product()
        one, two = make_picture(product), make_picture(product)
        old_file = one.file.name
        storage = one.file.storage

        with self.captureOnCommitCallbacks(execute=True):
            one.file.save("other.png", ContentFile(picture_bytes("PNG", (20, 20))), save=True)
        assert not storage.exists(old_file)

        with self.captureOnCommitCallbacks(execute=True):
            product.delete()
        assert not any(storage.exists(picture.file.name) for picture in (one, two))


class CoverTests(TestCase):
    def test_first_picture_by_position_is_the_cover(self):
        product = make_product()
        second = make_picture(product, position=2)
        first = make_picture(product, position=1)

        product.refresh_from_db()
        assert product.cover == first

        first.delete()
        product.refresh_from_db()
        assert product.cover == second

        second.delete()
        product.refresh_from_db()
        assert product.cover is None
