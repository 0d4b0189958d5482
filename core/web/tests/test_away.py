"""The database goes away: whoever asks it, in a view, a middleware or a template, the answer is 503."""

import re
from html import unescape
from unittest.mock import patch

import psycopg
import pytest
from django.core.handlers.exception import convert_exception_to_response
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client, RequestFactory, TestCase, TransactionTestCase, override_settings
from django.urls import reverse

from account.tests.factories import make_user
from core.stores.databases import Silent, is_away
from core.web import errors, middleware
from orders import checkout
from orders.models import Order
from orders.tests.factories import CONTACT, make_item

ERRORS = (
    (OperationalError, "the connection is closed"),
    (OperationalError, "attempt to write a readonly database"),
    (InterfaceError, "connection already closed"),
)
NAMES = (
    "home", "login", "blog:post_list", "shop:product_list", "images:image_list", "cart:cart_detail",
    "orders:order_create", "account:dashboard", "admin:index", "readyz",
)  # fmt: skip


def away_with(error):
    """Let every statement fail with this error."""

    def fail(*args):
        kind, text = error
        raise kind(text)

    return connection.execute_wrapper(fail)


def wrapped(error, cause):
    error.__cause__ = cause
    return error


class AwayTests(TestCase):
    def setUp(self):
        self.browser = Client(raise_request_exception=False)
        self.member = make_user("alice", staff=True)

    def assert_away(self, response, name):
        assert response.status_code == 503, (name, response.status_code)
        if name != "readyz":
            assert response["Retry-After"] == "5"

    def test_members_are_told_so_though_a_middleware_was_the_first_to_ask(self):
        self.browser.force_login(self.member)
        for is_debugging in (True, False):
            for error in ERRORS:
                with override_settings(DEBUG=is_debugging), away_with(error):
                    for name in NAMES:
                        self.assert_away(self.browser.get(reverse(name)), name)

    def test_so_are_visitors(self):
        for error in ERRORS:
            with away_with(error):
                for name in ("home", "blog:post_list", "shop:product_list", "images:image_list", "readyz"):
                    self.assert_away(self.browser.get(reverse(name)), name)

    def test_so_is_who_logs_in(self):
        fields = {"username": "alice", "password": "not to be kept anywhere"}
        with away_with(ERRORS[0]):
            response = self.browser.post(reverse("login"), fields, headers={"Sec-Fetch-Site": "same-origin"})

        self.assert_away(response, "login")
        self.assertNotContains(response, "not to be kept", status_code=503)

    def test_program_is_told_in_json(self):
        self.browser.force_login(self.member)
        with away_with(ERRORS[0]):
            response = self.browser.get(reverse("account:dashboard"), headers={"Accept": "application/json"})

        assert response.json()["status"] == 503

    def test_session_that_cannot_be_saved_is_503_and_not_400(self):
        tea = make_item()
        self.browser.force_login(self.member)
        headers = {"Sec-Fetch-Site": "same-origin"}
        with patch("account.models.Session.save", side_effect=OperationalError("gone")):
            response = self.browser.post(f"/cart/add/{tea.pk}/", {"quantity": 1}, headers=headers)

        self.assert_away(response, "cart:add")

    def test_a_database_that_hangs_is_asked_by_one_page_at_a_time(self):
        asked = []

        def ask(request):
            asked.append(request)
            raise wrapped(OperationalError(), Silent())

        view = convert_exception_to_response(ask)
        with patch.object(middleware, "SILENCE", 1000):
            layer = middleware.answer_without_database(view)
            answers = [layer(RequestFactory().get("/")) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [503] * 3
        assert len(asked) == 1

    def test_a_database_that_refuses_is_asked_by_every_page(self):
        asked = []

        def ask(request):
            asked.append(request)
            raise OperationalError("refused")

        layer = middleware.answer_without_database(convert_exception_to_response(ask))
        assert [layer(RequestFactory().get("/")).status_code for _ in range(3)] == [503] * 3
        assert len(asked) == 3

    def test_page_is_there_again_with_the_next_request(self):
        self.browser.force_login(self.member)
        with away_with(ERRORS[0]):
            self.browser.get(reverse("account:dashboard"))

        assert self.browser.get(reverse("account:dashboard")).status_code == 200


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (wrapped(OperationalError(), psycopg.errors.AdminShutdown()), True),
        (wrapped(OperationalError(), psycopg.errors.DiskFull()), True),
        (InterfaceError(), True),
        (wrapped(InternalError(), psycopg.errors.ReadOnlySqlTransaction()), True),
        (wrapped(InternalError(), psycopg.errors.InFailedSqlTransaction()), False),
        (wrapped(transaction.TransactionManagementError(), OperationalError()), True),
        (transaction.TransactionManagementError(), False),
        (ValueError(), False),
        (None, False),
    ],
)
def test_what_counts_as_away(error, answer):
    assert is_away(error) is answer


def test_errors_that_refer_to_each_other_are_looked_at_once():
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first

    assert is_away(first) is False


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"name": "Alice", "postal_code": "12345"}, [("name", "Alice"), ("postal_code", "12345")]),
        ({"username": "alice", "password": "secret"}, []),
        ({"code": "123456"}, []),
        ({f"field{number}": "x" for number in range(201)}, []),
    ],
)
def test_only_what_a_page_may_hold_is_offered_to_be_sent_again(fields, kept):
    assert errors.typed(RequestFactory().post("/", fields)) == kept
    assert errors.typed(RequestFactory().get("/", fields)) == []


class CommitLostTests(TransactionTestCase):
    """The order is committed and the answer to the commit is lost: the buyer sees 503 and presses the button there."""

    def place(self, fields):
        return self.client.post("/orders/create/", fields, headers={"Sec-Fetch-Site": "same-origin"})

    def hidden(self, page):
        found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode())
        return {name: unescape(value) for name, value in found}

    def test_buyer_who_sends_the_form_again_finds_the_order(self):
        tea = make_item("12.50", stock=5)
        self.client.post(f"/cart/add/{tea.pk}/", {"quantity": 2})
        fields = {**CONTACT, **self.hidden(self.client.get("/orders/create/")), "terms": "on"}
        real_commit, real_place = BaseDatabaseWrapper.commit, checkout.place_order
        is_placing = []

        def place(*args, **kwargs):
            is_placing.append(True)
            return real_place(*args, **kwargs)

        def commit(wrapper):
            real_commit(wrapper)
            if is_placing and Order.objects.exists():
                is_placing.clear()
                raise OperationalError("server closed the connection unexpectedly")

        with patch.object(BaseDatabaseWrapper, "commit", commit), patch.object(checkout, "place_order", place):
            lost = self.place(fields)
        assert (lost.status_code, Order.objects.count()) == (503, 1)

        again = self.place(self.hidden(lost))

        assert again.status_code == 307
        order = Order.objects.get()
        assert again["Location"].endswith(order.token)
        tea.refresh_from_db()
        assert tea.stock == 3
