"""The start page of a member: it asks seldom, and what it keeps of the member is never old."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from account.tests.factories import make_user
from actions.models import Action
from blog.tests.factories import make_post
from core.caching import memory
from images.tests.factories import make_image
from orders.models import Order
from orders.tests.factories import make_order

pytestmark = pytest.mark.django_db(transaction=True)  # nothing made from tables is kept inside a transaction


class Start:
    def __init__(self):
        memory.clear()
        self.reader, self.alice = make_user("reader"), make_user("alice")
        self.client = Client()
        self.client.force_login(self.reader)

    def page(self):
        return self.client.get(reverse("account:dashboard")).content.decode()


@pytest.fixture
def start(db):
    return Start()


def test_it_asks_who_is_there_what_was_done_and_once_for_each_kind_of_thing(start):
    start.reader.follow(start.alice)
    make_order(buyer=start.reader)
    make_image(owner=start.reader)
    for _ in range(5):
        Action.objects.record(start.alice, Action.Verb.LIKES, make_image(owner=start.reader))
        Action.objects.record(start.alice, Action.Verb.COMMENTED, make_post(author=start.alice))
        Action.objects.record(start.alice, Action.Verb.FOLLOWS, make_user())
    start.page()

    with CaptureQueriesContext(connection) as captured:
        start.page()

    assert len(captured) == 5, [query["sql"] for query in captured.captured_queries]


def test_new_orders_and_pictures_and_whom_one_follows_show_at_once(start):
    assert "You have not ordered anything yet" in start.page()

    own, guest = make_order(buyer=start.reader), make_order(email=start.reader.email.upper())
    make_image(owner=start.reader, title="My boat", status="fetching")
    start.reader.follow(start.alice)

    page = start.page()
    assert f"Order #{own.pk}" in page
    assert f"Order #{guest.pk}" in page
    assert "What the people you follow do" in page
    assert 'class="waiting"' in page

    Order.objects.filter(pk=own.pk).update(total="4321.00")
    start.reader.images.update(status="ready", title="My ship")
    start.reader.unfollow(start.alice)

    page = start.page()
    assert "4,321.00" in page
    assert "My ship" in page
    assert "What everybody does" in page
