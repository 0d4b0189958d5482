"""The database goes away in the middle of an order, and comes back: PostgreSQL, whose connections can be cut."""

from datetime import timedelta
from unittest import mock
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from django.conf import settings
from django.core import mail as sent_mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, connections
from django.test import TransactionTestCase
from django.utils import timezone

from core.stores.databases import Silent, expect_answers
from core.tests.waiting import wait_until
from mail import delivery
from mail.models import OutgoingMail
from mail.tests.factories import make_mail
from orders import checkout
from orders.models import Order
from orders.tests.factories import CONTACT, make_item
from tests import processes

from .proxy import Proxy

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL: make test-services")
CREATE = "/orders/create/"


def cut() -> int:
    """End the connections to the tests' database as a restart of the server does; return how many there were."""
    given = connection.settings_dict
    server = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"], "password": given["PASSWORD"]}
    with psycopg.connect(dbname="postgres", **{k: v for k, v in server.items() if v}) as outside:
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        row = outside.execute(ended, [given["NAME"]]).fetchone()
    return row[0] if row else 0


class CutTests(TransactionTestCase):
    def test_a_mail_leaves_once_though_the_connection_is_cut_when_the_server_has_taken_it(self):
        mail = make_mail(available_at=timezone.now() + timedelta(days=1))
        OutgoingMail.objects.update(available_at=timezone.now())

        with mock.patch.object(EmailBackend, "close", lambda backend: cut()):
            assert delivery.deliver(mail.pk)

        assert OutgoingMail.objects.get().status == OutgoingMail.Status.SENT
        assert delivery.sweep() == 0
        assert len(sent_mail.outbox) == 1

    def test_an_order_whose_connection_is_cut_never_was_and_can_be_placed_again(self):
        book = make_item("12.50", stock=5)
        self.client.post(f"/cart/add/{book.pk}/", {"quantity": 2})
        key = self.client.get(CREATE).context["form"]["checkout_key"].value()
        fields = {**CONTACT, "terms": "on", "checkout_key": key, "seen_total": "25.00"}
        real = checkout._take_stock

        def take_and_lose_the_database(*args):
            real(*args)
            assert cut() >= 1

        with mock.patch.object(checkout, "_take_stock", take_and_lose_the_database):
            answer = self.client.post(CREATE, fields)
        connections.close_all()  # as the server does between two requests; the test client leaves it out

        assert answer.status_code == 503
        book.refresh_from_db()
        assert (book.stock, Order.objects.count(), OutgoingMail.objects.count()) == (5, 0, 0)
        assert self.client.post(CREATE, fields).status_code == 307
        book.refresh_from_db()
        assert (book.stock, Order.objects.count(), OutgoingMail.objects.count()) == (3, 1, 1)


def through(proxy: Proxy) -> str:
    given = connection.settings_dict
    return (
        urlsplit(settings.DATABASE_URL)
        ._replace(
            netloc=f"{given['USER']}{':' * bool(given['PASSWORD'])}{given['PASSWORD']}@127.0.0.1:{proxy.port}",
            path=f"/{given['NAME']}",
        )
        .geturl()
    )


class HangTests(TransactionTestCase):
    def setUp(self):
        given = connection.settings_dict
        self.proxy = self.enterContext(Proxy((given["HOST"], int(given["PORT"] or 5432))))

    def test_a_statement_that_is_not_answered_ends_with_its_connection(self):
        asking = psycopg.connect(through(self.proxy), autocommit=True)
        expect_answers(asking, 0.2)

        with self.proxy.hanging(), pytest.raises(Silent):
            asking.execute("SELECT 1")

        assert asking.closed

    def test_a_page_says_that_the_database_is_away_while_it_hangs_and_is_there_again_afterwards(self):
        with processes.site(DATABASE_URL=through(self.proxy), TEST_DATABASE_SECONDS="1") as site:

            def status() -> int:
                return requests.get(f"{site.url}/search/?q=ink", timeout=100).status_code

            wait_until(lambda: status() == 200, site.process)
            with self.proxy.hanging():
                assert status() == 503
            wait_until(lambda: status() == 200, site.process)
