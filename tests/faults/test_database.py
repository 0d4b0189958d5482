"""The database goes away in the middle of an order, and comes back: PostgreSQL, whose connections can be cut."""

from datetime import timedelta
from unittest import mock

import psycopg
import pytest
from django.core import mail as sent_mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, connections
from django.test import TransactionTestCase
from django.utils import timezone

from mail import delivery
from mail.models import OutgoingMail
from mail.tests.factories import make_mail
from orders import checkout
from orders.models import Order
from orders.tests.factories import CONTACT, make_item

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
