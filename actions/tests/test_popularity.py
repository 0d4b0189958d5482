from datetime import timedelta
from unittest import mock

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser, Group
from django.db import connection
from django.test import RequestFactory, TestCase, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from account.tests.factories import make_user
from actions import flush, page_views, popularity
from actions.models import View, ViewCount
from actions.tasks import flush_views
from core.stores import redisstore
from core.tests.races import race

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def a_request(*, address="203.0.113.7", agent=BROWSER, user=None, method="get", **headers):
    request = getattr(RequestFactory(), method)("/", REMOTE_ADDR=address, headers={"User-Agent": agent, **headers})
    request.user = user or AnonymousUser()
    if user:
        request.COOKIES["sessionid"] = "x"
    return request


def look(obj, **request):
    popularity.count_view(a_request(**request), obj)


class LookTests(TestCase):
    def test_people_look(self):
        assert page_views.is_by_person(a_request())

    def test_programs_and_pages_fetched_ahead_do_not(self):
        for request in [
            a_request(agent=""),
            a_request(agent="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
            a_request(agent="Mozilla/5.0 AppleWebKit/537.36 (compatible; bingbot/2.0)"),
            a_request(agent="facebookexternalhit/1.1"),
            a_request(agent="curl/8.0"),
            a_request(agent="python-requests/2.32"),
            a_request(agent="Mozilla/5.0 HeadlessChrome/140.0"),
            a_request(method="head"),
            a_request(**{"Sec-Purpose": "prefetch"}),
            a_request(**{"Sec-Purpose": "prefetch;prerender"}),
            a_request(**{"Purpose": "prefetch"}),
            a_request(**{"X-Moz": "prefetch"}),
        ]:
            with self.subTest(headers=dict(request.headers)):
                assert not page_views.is_by_person(request)

    @override_settings(REDIS_URL="")
    def test_no_address_is_kept(self):
        look(Group.objects.create(name="vase"))

        assert "203.0.113" not in View.objects.get().visitor

    def test_visitor_is_another_one_tomorrow(self):
        today = timezone.localdate()

        assert page_views.visitor(a_request(), today) == page_views.visitor(a_request(), today)
        assert page_views.visitor(a_request(), today) != page_views.visitor(a_request(), today + timedelta(days=1))


class CountingTests:
    """What holds with Redis and without; each subclass brings the engine."""

    def setUp(self):
        self.vase, self.bowl, self.cup = (Group.objects.create(name=name) for name in ("vase", "bowl", "cup"))

    def test_fifty_reloads_are_one_view(self):  # D35
        for _ in range(50):
            look(self.vase)

        assert popularity.views(self.vase) == 1

    def test_each_visitor_counts(self):
        look(self.vase)
        look(self.vase, address="203.0.113.8")
        look(self.vase, agent=f"{BROWSER} again")
        look(self.vase, user=make_user())

        assert popularity.views(self.vase) == 4

    def test_member_is_one_visitor_wherever_they_are(self):
        alice = make_user()

        look(self.vase, user=alice)
        look(self.vase, user=alice, address="198.51.100.1")

        assert popularity.views(self.vase) == 1

    def test_visitor_counts_again_tomorrow(self):
        look(self.vase)
        with time_machine.travel(timezone.now() + timedelta(days=1)):
            look(self.vase)

        assert popularity.views(self.vase) == 2

    def test_flush_neither_loses_nor_doubles(self):
        for number in range(10):
            look(self.vase, address=f"203.0.113.{number}")
            if number % 3 == 0:
                flush_views()
                flush_views()
        flush_views()

        assert ViewCount.objects.get().views == popularity.views(self.vase) == 10

    def test_reload_after_a_flush_is_not_a_second_view(self):
        look(self.vase)
        flush_views()
        look(self.vase)
        flush_views()

        assert popularity.views(self.vase) == 1

    def test_ranking_skips_what_is_gone_or_not_for_show(self):
        for thing, number in [(self.vase, 5), (self.bowl, 3), (self.cup, 1)]:
            for visitor in range(number):
                look(thing, address=f"203.0.113.{visitor}")
        flush_views()
        assert popularity.most_viewed(Group, 2) == [self.vase.pk, self.bowl.pk]

        self.vase.delete()
        assert popularity.most_viewed(Group, 2) == [self.bowl.pk, self.cup.pk]
        assert popularity.most_viewed(Group.objects.exclude(name="bowl"), 2) == [self.cup.pk]

    def test_forgotten_thing_has_no_views(self):
        look(self.vase)
        flush_views()
        look(self.vase, address="203.0.113.9")

        popularity.forget(self.vase)
        flush_views()

        assert popularity.views(self.vase) == 0
        assert popularity.most_viewed(Group, 2) == []

    def test_lists_get_their_counts_with_the_rows(self):
        look(self.vase)
        flush_views()

        with self.assertNumQueries(1):
            counts = {thing.name: thing.view_count for thing in popularity.with_views(Group.objects.all())}
        assert counts == {"vase": 1, "bowl": 0, "cup": 0}


@override_settings(REDIS_URL="")
class DatabaseTests(CountingTests, TestCase):
    def test_a_view_is_one_statement(self):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            look(self.vase)

        assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 1

    def test_rows_of_past_days_are_dropped(self):
        with time_machine.travel(timezone.now() - timedelta(days=1)):
            look(self.vase)
        flush_views()

        assert not View.objects.exists()
        assert popularity.views(self.vase) == 1


def empty_redis():
    redisstore.forget_failure()
    redisstore.ask(lambda client: client.delete(*(client.keys("views:*") or ["views:none"])))


@pytest.mark.services
class RedisTests(CountingTests, TestCase):
    def setUp(self):
        super().setUp()
        empty_redis()

    def test_flush_that_died_after_writing_does_not_write_again(self):
        look(self.vase)
        with (
            mock.patch("actions.counted_in_redis.done", side_effect=KeyboardInterrupt),
            pytest.raises(KeyboardInterrupt),
        ):
            flush.flush_redis()
        look(self.vase, address="203.0.113.8")

        flush.flush_redis()
        flush.flush_redis()

        assert ViewCount.objects.get().views == 2

    def test_lost_redis_loses_a_minute_at_most(self):
        look(self.vase)
        flush_views()
        look(self.vase, address="203.0.113.8")

        redisstore.ask(lambda client: client.delete(*client.keys("views:*")))
        assert popularity.views(self.vase) == 1
        assert popularity.most_viewed(Group) == [self.vase.pk]

        look(self.vase, address="203.0.113.9")
        flush_views()
        assert popularity.views(self.vase) == 2

    def test_ranking_is_right_at_once(self):
        look(self.vase)
        look(self.bowl)
        look(self.bowl, address="203.0.113.8")
        flush_views()
        for number in range(20, 23):
            look(self.vase, address=f"203.0.113.{number}")

        assert popularity.most_viewed(Group, 2) == [self.vase.pk, self.bowl.pk]
        assert popularity.views(self.vase) == 4


class ParallelTests:
    """Many visitors at once while the minute's flush runs; each subclass brings the engine."""

    VISITORS, THREADS = 40, 6

    def test_no_view_is_lost_or_doubled(self):
        vase = Group.objects.create(name="vase")
        gone = []

        def visit(number):
            for visitor in range(self.VISITORS):
                for _ in range(2):  # each reloads once
                    look(vase, address=f"10.0.{number}.{visitor}")

        def act(number):
            """The first two flush until the last of the visitors has gone."""
            while number < 2 and len(gone) < self.THREADS:
                flush_views()
            if number >= 2:
                try:
                    visit(number)
                finally:
                    gone.append(number)

        assert race(act, 2 + self.THREADS) == []
        flush_views()

        assert ViewCount.objects.get().views == popularity.views(vase) == self.VISITORS * self.THREADS


@override_settings(REDIS_URL="")
class ParallelDatabaseTests(ParallelTests, TransactionTestCase):
    pass


@pytest.mark.services
class ParallelRedisTests(ParallelTests, TransactionTestCase):
    def setUp(self):
        empty_redis()


@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
class RedisIsAwayTests(TestCase):
    def setUp(self):
        redisstore.forget_failure()
        self.addCleanup(redisstore.forget_failure)

    def test_pages_go_on_with_what_the_database_knows(self):  # D36
        vase = Group.objects.create(name="vase")
        ViewCount.objects.create(target_kind="auth.group", target_id=vase.pk, views=7)

        look(vase)

        assert popularity.views(vase) == 7
        assert popularity.most_viewed(Group) == [vase.pk]

    def test_dead_redis_is_asked_once_in_five_seconds(self):
        act = mock.Mock(side_effect=ConnectionError)

        for _ in range(10):
            assert redisstore.ask(act) is None

        assert act.call_count == 1
