from decimal import Decimal
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test import TestCase, override_settings

from core.stores import redisstore
from core.tests.races import MOST, all_at_once
from shop import recommender
from shop.models import Basket, BoughtTogether, Product
from shop.tasks import count_baskets
from shop.tests.factories import make_product


def bought_together(products: list[Product], limit: int = 4) -> list[str]:
    return [card.name for card in recommender.bought_together([product.pk for product in products], limit)]


class RecommenderCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.tea, cls.pot, cls.cup, cls.tray = (
            make_product(name, price=Decimal(9)) for name in ["Tea", "Pot", "Cup", "Tray"]
        )

    def buy(self, order_id: int, *products: Product) -> None:
        with self.captureOnCommitCallbacks(execute=True), transaction.atomic():
            recommender.record(order_id, [product.pk for product in products])

    def buy_some(self) -> None:
        self.buy(1, self.tea, self.pot)
        self.buy(2, self.tea, self.pot, self.cup)
        self.buy(3, self.cup, self.tray)


class Rules:
    """What holds whether the pairs are read from Redis or from the table."""

    def test_most_often_bought_together_comes_first(self):
        self.buy_some()

        assert bought_together([self.tea]) == ["Pot", "Cup"]
        assert bought_together([self.tea], limit=1) == ["Pot"]

    def test_several_products_add_up_and_are_left_out_themselves(self):
        self.buy_some()

        assert bought_together([self.tea, self.pot]) == ["Cup"]
        assert bought_together([self.tea, self.tray]) == ["Cup", "Pot"]

    def test_an_order_counts_once(self):
        for _ in range(3):
            self.buy(1, self.tea, self.pot)
        count_baskets()

        assert BoughtTogether.objects.get(product=self.tea).score == 1

    def test_what_cannot_be_bought_is_not_recommended(self):
        self.buy_some()
        Product.objects.filter(pk=self.pot.pk).update(stock=0)
        assert bought_together([self.tea]) == ["Cup"]

        Product.objects.filter(pk=self.cup.pk).update(is_on_show=False)
        assert bought_together([self.tea]) == []

    def test_nothing_goes_with_nothing(self):
        self.buy_some()

        assert bought_together([]) == []
        assert bought_together([make_product()]) == []

    def test_rebuilding_gives_the_same(self):
        self.buy_some()
        before = bought_together([self.tea])
        BoughtTogether.objects.update(score=7)
        out = StringIO()

        call_command("rebuild_recommendations", stdout=out)

        assert out.getvalue() == "3 orders counted.\n"
        assert BoughtTogether.objects.get(product=self.tea, other=self.pot).score == 2
        assert bought_together([self.tea]) == before


@override_settings(REDIS_URL="")
class TableTests(Rules, RecommenderCase):
    def test_an_order_that_is_rolled_back_is_not_counted(self):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            recommender.record(1, [self.tea.pk, self.pot.pk])
            _ = 1 / 0

        assert not Basket.objects.exists()

    def test_order_of_one_product_says_nothing(self):
        self.buy(1, self.tea)

        assert not Basket.objects.exists()

    def test_forgotten_baskets_are_found_by_the_sweep(self):
        with transaction.atomic():
            recommender.record(1, [self.tea.pk, self.pot.pk])
        assert bought_together([self.tea]) == []

        count_baskets()

        assert bought_together([self.tea]) == ["Pot"]

    def test_a_product_that_was_bought_with_no_other_is_not_asked_about(self):
        with self.assertNumQueries(2):  # the product, and posts about it
            self.client.get(self.tea.get_absolute_url())

    def test_detail_and_cart_show_them_in_the_same_number_of_queries(self):
        self.buy_some()
        with self.assertNumQueries(3):
            self.assertContains(self.client.get(self.tea.get_absolute_url()), "Often bought together")

        self.client.post(f"/cart/add/{self.tea.pk}/", {"quantity": 1})
        with self.assertNumQueries(2):
            response = self.client.get("/cart/")
        assert set(response.context["cart"].suggestions) == {self.pot, self.cup}


@pytest.mark.services
class RedisTests(Rules, RecommenderCase):
    def setUp(self):
        redisstore.forget_failure()
        redisstore.ask(lambda client: client.flushdb())
        recommender.fill_redis()
        assert settings.REDIS_URL

    def test_pairs_are_read_from_redis(self):
        self.buy_some()

        assert recommender.companions([self.tea.pk], 4) == [self.pot.pk, self.cup.pk]

    def test_emptied_redis_is_filled_by_the_sweep_and_the_table_answers_until_then(self):
        self.buy_some()
        redisstore.ask(lambda client: client.flushdb())
        assert bought_together([self.tea]) == ["Pot", "Cup"]

        count_baskets()

        assert recommender.companions([self.tea.pk], 4) == [self.pot.pk, self.cup.pk]


@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
class RedisAwayTests(RecommenderCase):
    def setUp(self):
        redisstore.forget_failure()
        self.addCleanup(redisstore.forget_failure)

    def test_pages_work_and_the_table_answers(self):  # D84
        self.buy_some()

        self.assertContains(self.client.get(self.tea.get_absolute_url()), "Often bought together")
        self.client.post(f"/cart/add/{self.tea.pk}/", {"quantity": 1})
        assert self.client.get("/cart/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_basket_counted_by_many_workers_counts_once():
    one, other = make_product(), make_product()
    with transaction.atomic():
        recommender.record(1, [one.pk, other.pk])
    basket = Basket.objects.get()
    Basket.objects.update(counted_at=None)
    BoughtTogether.objects.all().delete()

    counted = all_at_once(recommender.count, [basket] * MOST)

    assert sum(counted) == 1
    assert list(BoughtTogether.objects.values_list("score", flat=True)) == [1, 1]
