import sqlite3
from unittest.mock import patch

from django.conf import settings
from django.db import OperationalError, connection, connections, router, transaction
from django.http import HttpResponse
from django.test import SimpleTestCase, TransactionTestCase, override_settings
from django.urls import path, reverse

from account.tests.factories import make_user
from core.caching import memory, replica, routers
from core.caching.pages import PINNED_COOKIE
from core.caching.routers import REPLICA, Reading, from_primary, read_alias, reading
from core.caching.tests.test_pages import Site
from shop.models import Category
from shop.tests.factories import make_product
from tests.addresses import addresses


def copy_of_the_database() -> str:
    """Copy the test database as it is, without a way to follow it: a replica that has stopped."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        with sqlite3.connect(name) as source, sqlite3.connect(f"{name}.replica") as target:
            source.backup(target)
        source.close()
        target.close()
        return f"{name}.replica"
    connection.close()
    with connection._nodb_cursor() as cursor:
        # Threads of earlier tests may still be connected, and PostgreSQL copies no database that is in use.
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}_replica"')
        cursor.execute(f'CREATE DATABASE "{name}_replica" TEMPLATE "{name}"')
    return f"{name}_replica"


@override_settings(
    DATABASE_ROUTERS=["core.caching.routers.ReplicaRouter"],
    MIDDLEWARE=[*settings.MIDDLEWARE, "core.caching.replica.read_from_replica"],
)
class ReplicaCase(TransactionTestCase):
    """
    What was written to the primary has not reached this replica, and never will: a page that shows it read the primary.
    """

    databases = {"default", REPLICA}

    @classmethod
    def setUpClass(cls):
        connections.settings[REPLICA] = {**connection.settings_dict, "NAME": copy_of_the_database()}
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        name = connections[REPLICA].settings_dict["NAME"]
        connections[REPLICA].close()
        if connection.vendor == "postgresql":
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}"')
        del connections[REPLICA], connections.settings[REPLICA]

    def setUp(self):
        self.replica = replica.Replica()
        self.enterContext(patch.object(replica, "replica", self.replica))
        self.enterContext(patch.object(replica, "position", return_value=1))
        memory.clear()
        self.member = make_user("alice")
        self.product = make_product(name="Blue Ink")
        self.client.force_login(self.member)

    def shows_the_product(self, name: str = "shop:product_list") -> bool:
        return b"Blue Ink" in self.client.get(reverse(name)).content


class WhoReadsWhereTests(ReplicaCase):
    def test_a_page_reads_from_the_replica(self):
        assert not self.shows_the_product()

    def test_who_the_reader_is_comes_from_the_primary(self):
        assert "Log out" in self.client.get(reverse("shop:product_list")).content.decode()

    def test_who_has_just_written_sees_it(self):
        answer = self.client.post(reverse("cart:cart_add", args=[self.product.pk]), {"quantity": 1})

        assert answer.cookies[PINNED_COOKIE]["max-age"] > replica.MAX_LAG + replica.CHECK_SECONDS
        assert answer.cookies[PINNED_COOKIE]["httponly"]
        assert self.shows_the_product()

    def test_without_the_pin_the_same_page_is_stale(self):
        """The twin of the test above."""
        self.client.post(reverse("cart:cart_add", args=[self.product.pk]), {"quantity": 1})
        self.client.get(reverse("cart:cart_detail"))  # shows the message that names the product
        del self.client.cookies[PINNED_COOKIE]

        assert not self.shows_the_product()

    def test_looking_at_a_page_pins_nobody(self):
        with override_settings(REDIS_URL=""):
            answer = self.client.get(reverse("shop:product_list"))

        assert PINNED_COOKIE not in answer.cookies

    def test_cart_and_checkout_read_from_the_primary(self):
        self.client.post(reverse("cart:cart_add", args=[self.product.pk]), {"quantity": 1})
        del self.client.cookies[PINNED_COOKIE]

        assert self.shows_the_product("cart:cart_detail")
        assert self.shows_the_product("orders:order_create")

    def test_admin_reads_from_the_primary(self):
        self.client.force_login(make_user("staff", staff=True))

        assert self.shows_the_product("admin:shop_product_changelist")

    def test_a_page_that_is_kept_is_made_from_the_primary(self):
        answer = Site().get(reverse("shop:product_list"))

        assert b"Blue Ink" in answer["body"]

    def test_what_a_visitor_reads_past_the_kept_pages_may_be_stale(self):
        self.client.logout()
        answer = Site().get(reverse("shop:product_list"), HTTP_HX_REQUEST="true")

        assert answer["status"] == 200
        assert b"Blue Ink" not in answer["body"]

    def test_whoever_has_just_written_gets_no_kept_page(self):
        site = Site()
        site.get(reverse("shop:product_list"))
        with patch.object(site.cache, "application", wraps=site.cache.application) as application:
            site.get(reverse("shop:product_list"), HTTP_COOKIE=f"{PINNED_COOKIE}=1")

        application.assert_called_once()

    def test_a_kept_part_is_made_from_the_primary(self):
        with reading(Reading(may_be_stale=True)):
            names = memory.cached("test", lambda: list(Category.objects.values_list("pk", flat=True)))

        assert names == [self.product.category_id]


class RouterTests(ReplicaCase):
    def test_nothing_is_read_from_the_replica_unless_the_page_may_be_stale(self):
        assert read_alias("shop") == "default"
        with reading(Reading()):
            assert read_alias("shop") == "default"
        with reading(Reading(may_be_stale=True)):
            assert read_alias("shop") == REPLICA
            assert [read_alias(app) for app in ("account", "orders", "payment", "cart", "mail")] == ["default"] * 5
            with from_primary():
                assert read_alias("shop") == "default"

    def test_a_transaction_reads_what_it_writes_to(self):
        with reading(Reading(may_be_stale=True)), transaction.atomic():
            assert Category.objects.count() == 1

    def test_a_row_is_locked_on_the_primary(self):
        with reading(Reading(may_be_stale=True)):
            assert Category.objects.select_for_update().db == "default"

    def test_after_its_first_write_a_request_reads_from_the_primary(self):
        with reading(Reading(may_be_stale=True)):
            assert Category.objects.count() == 0
            Category.objects.create(name="Ink", slug="ink")
            assert Category.objects.count() == 2

    def test_a_row_from_the_replica_is_saved_to_the_primary(self):
        assert router.db_for_write(Category, instance=Category(pk=1)) == "default"

    def test_migrations_leave_the_replica_alone(self):
        assert not router.allow_migrate(REPLICA, "shop")
        assert router.allow_migrate("default", "shop")


@override_settings(DATABASE_ROUTERS=["core.caching.routers.ReplicaRouter"])
class AwayTests(ReplicaCase):
    def setUp(self):
        super().setUp()
        self.enterContext(patch.dict(connections[REPLICA].settings_dict, {"NAME": "/no/such/database"}))
        self.enterContext(patch.object(replica, "REST_SECONDS", 3600))  # however slow the machine
        connections[REPLICA].close()
        self.addCleanup(connections[REPLICA].close)

    def test_page_is_made_from_the_primary_when_the_replica_fails_meanwhile(self):
        assert self.replica.is_close()

        with self.assertLogs("core.caching.replica", "WARNING"):
            assert self.shows_the_product()

        assert not self.replica.is_close()

    def test_failed_replica_is_left_alone_for_a_while(self):
        with self.assertLogs("core.caching.replica", "WARNING"):
            self.shows_the_product()

        with patch.object(replica, "position", side_effect=AssertionError("asked again")):
            assert self.shows_the_product()

    @override_settings(ROOT_URLCONF=__name__)
    def test_both_away_is_told_as_such(self):
        with self.assertLogs("core", "WARNING"):
            answer = self.client.get("/")

        assert answer.status_code == 503


def nothing_answers(request):
    read_alias("shop")
    raise OperationalError("gone")


urlpatterns = [path("", nothing_answers, name="home"), path("other/", lambda request: HttpResponse(""))]


class LagTests(SimpleTestCase):
    """A clock and two logs, told by hand."""

    def setUp(self):
        self.replica, self.now, self.primary, self.replayed = replica.Replica(), 1000.0, 50, 50
        self.enterContext(patch("core.caching.replica.time.monotonic", lambda: self.now))
        self.enterContext(patch("core.caching.replica.position", self.position))
        self.enterContext(patch("core.caching.replica.connections", {REPLICA: connection}))

    def position(self, alias, question):
        answer = self.replayed if alias == REPLICA else self.primary
        if isinstance(answer, Exception):
            raise answer
        return answer

    def is_close_after(self, seconds: float, *, primary, replayed) -> bool:
        self.now += seconds
        self.primary, self.replayed = primary, replayed
        return self.replica.is_close()

    def test_replica_that_has_everything_is_close(self):
        assert self.replica.is_close()

    def test_replica_two_seconds_behind_is_close(self):
        self.replica.is_close()

        assert self.is_close_after(2.1, primary=90, replayed=50)

    def test_replica_further_behind_is_not(self):
        self.replica.is_close()
        self.is_close_after(2.1, primary=90, replayed=50)

        with self.assertLogs("core.caching.replica", "WARNING"):
            assert not self.is_close_after(2.1, primary=120, replayed=60)

    def test_replica_that_catches_up_is_used_again(self):
        self.test_replica_further_behind_is_not()

        assert self.is_close_after(2.1, primary=130, replayed=125)

    def test_after_an_idle_hour_an_old_answer_counts_for_nothing(self):
        self.replica.is_close()

        with self.assertLogs("core.caching.replica", "WARNING"):
            assert not self.is_close_after(3600, primary=500, replayed=50)

    def test_replica_that_was_promoted_is_not_read(self):
        assert not self.is_close_after(0, primary=50, replayed=None)

    def test_replica_that_is_away_is_asked_again_after_a_rest(self):
        with self.assertLogs("core.caching.replica", "WARNING"):
            assert not self.is_close_after(0, primary=50, replayed=OperationalError("refused"))

        assert not self.is_close_after(replica.REST_SECONDS - 1, primary=50, replayed=50)
        assert self.is_close_after(1.1, primary=50, replayed=50)

    def test_primary_that_is_away_is_the_pages_own_problem(self):
        assert not self.is_close_after(0, primary=OperationalError("refused"), replayed=50)

    def test_pin_outlasts_the_greatest_lag(self):
        assert replica.PINNED_SECONDS > replica.MAX_LAG + replica.CHECK_SECONDS


class PagesTests(SimpleTestCase):
    def test_nothing_about_money_or_identity_may_lag(self):
        lagging = {name for name, pattern in addresses().items() if getattr(pattern.callback, "may_lag", False)}
        never = ("admin", "cart", "login", "orders", "payment", "social")

        assert {"home", "search", "account:dashboard"} <= lagging
        assert [name for name in lagging if name.startswith(never)] == []
        assert not routers.APPS & {"account", "auth", "cart", "mail", "orders", "payment", "sessions"}
