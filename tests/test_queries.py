"""How often a page asks the database: few times, as often for many rows as for few, in a new process as in an old one."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from account.tests.factories import make_user
from blog.tests.factories import make_comment, make_post
from core.caching import memory
from images.tests.factories import make_image
from shop.models import Category
from shop.tests.factories import make_product
from tests.addresses import OneOfEach, addresses

pytestmark = pytest.mark.django_db(transaction=True)  # nothing made from tables is kept inside a transaction

MOST = 6
ASK_MORE = {"readyz": 50}  # it asks about each part of the site, whatever there is in it


class Site(OneOfEach):
    def __init__(self):
        self.fill()
        self.reader = make_user("reader")
        self.add_rows()
        found = {name: self.real(name, pattern) for name, pattern in addresses().items()}
        self.pages = {name: address for name, address in found.items() if Client().get(address).status_code == 200}
        assert len(self.pages) > 30

    def add_rows(self, rows=12):
        for number in range(rows):
            make_comment(make_post(f"Post {number}", author=self.alice, tags=("craft", f"tag {number}")))
            make_comment(self.post)
            make_image(owner=self.alice)
            make_product(category=Category.objects.create(name=f"C {number}", slug=f"c-{Category.objects.count()}"))

    def queries(self, page, member=None):
        """Return what the page asks, first in a process that knows nothing and then again."""
        client = Client()
        if member:
            client.force_login(member)
        ContentType.objects.clear_cache()
        memory.clear()
        memory.next_change("blog_post")  # asked once for all pages
        asked = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                client.get(page)
            asked.append([query["sql"] for query in captured.captured_queries])
        return asked


@pytest.fixture
def site(db):
    return Site()


def test_every_page_asks_seldom_and_as_often_for_more_rows(site):
    before = {name: [len(asked) for asked in site.queries(page)] for name, page in site.pages.items()}
    too_often = {
        name: (cold, warm) for name, (cold, warm) in before.items() if cold > ASK_MORE.get(name, MOST) or warm > cold
    }
    assert too_often == {}

    site.add_rows()

    after = {name: [len(asked) for asked in site.queries(page)] for name, page in site.pages.items()}
    assert {name: (before[name], after[name]) for name in before if after[name] != before[name]} == {}


def test_for_a_member_a_page_asks_who_they_are_and_what_they_are_to_whoever_is_shown(site):
    for name, page in site.pages.items():
        _cold, for_visitors = site.queries(page)
        _cold, for_members = site.queries(page, site.reader)

        assert len(for_members) <= len(for_visitors) + 2, (name, "\n".join(for_members))
