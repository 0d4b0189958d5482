"""How often a page asks the database: few times, as often for many rows as for few, in a new process as in an old one."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from account.tests.factories import make_user
from actions.models import Action
from blog.tests.factories import make_comment, make_post
from core.caching import memory
from images.tests.factories import make_image
from shop.models import Category
from shop.tests.factories import make_product

pytestmark = pytest.mark.django_db(transaction=True)  # nothing made from tables is kept inside a transaction

# Page -> the most that it may ask for a visitor.
MOST = {
    "blog:post_list": 2,
    "blog:post_list_by_tag": 2,
    "blog:post_list_by_author": 2,
    "blog:post_list_by_date": 3,  # how many there are, which is kept; then 2
    "post": 4,  # the post, its comments, what is around it, products it links to
    "images:image_list": 1,
    "shop:product_list": 2,
    "home": 5,  # posts, products, and the popular pictures: most viewed, newest, what they look like; then 2
    "about": 0,
}
ARGUMENTS = {"blog:post_list_by_tag": ["oak"], "blog:post_list_by_author": ["ada"]}


class Site:
    def __init__(self):
        self.ada, self.reader = make_user("ada"), make_user("reader")
        self.product = make_product()
        text = f"See [this](/shop/{self.product.pk}/{self.product.slug}/)."
        self.post = make_post("Walnut", author=self.ada, tags=("oak", "ash"), body=text)
        self.fill()

    def fill(self, rows=12):
        for number in range(rows):
            make_comment(make_post(f"Post {number}", author=self.ada, tags=("oak", f"tag {number}")))
            make_comment(self.post)
            make_image(owner=self.ada)
            make_product(category=Category.objects.create(name=f"C {number}", slug=f"c-{Category.objects.count()}"))

    def address(self, page):
        if page == "post":
            return self.post.get_absolute_url()
        arguments = [self.post.publish_on.year] if page == "blog:post_list_by_date" else ARGUMENTS.get(page, [])
        return reverse(page, args=arguments)

    def queries(self, page, member=None):
        """Return what the page asks, first in a process that knows nothing and then again."""
        client = Client()
        if member:
            client.force_login(member)
        ContentType.objects.clear_cache()
        memory.clear()
        asked = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(self.address(page)).status_code == 200
            asked.append([query["sql"] for query in captured.captured_queries])
        return asked


@pytest.fixture
def site(db):
    return Site()


@pytest.mark.parametrize("page", MOST)
def test_a_page_asks_seldom_and_as_often_for_more_rows(site, page):
    cold, warm = site.queries(page)
    assert len(warm) <= len(cold) <= MOST[page], "\n".join(cold)

    site.fill()

    assert [len(asked) for asked in site.queries(page)] == [len(cold), len(warm)]


@pytest.mark.parametrize("page", MOST)
def test_a_member_makes_it_ask_once_more(site, page):
    _cold, for_visitors = site.queries(page)

    _cold, for_members = site.queries(page, site.reader)

    assert len(for_members) <= len(for_visitors) + 1, "\n".join(for_members)


def test_the_stream_asks_once_for_each_kind_of_thing(site):
    site.reader.follow(site.ada)
    _cold, few = site.queries("account:dashboard", site.reader)
    for _ in range(5):
        Action.objects.record(site.ada, Action.Verb.LIKES, make_image(owner=site.reader))
        Action.objects.record(site.ada, Action.Verb.FOLLOWS, make_user())

    _cold, many = site.queries("account:dashboard", site.reader)

    assert len(many) <= len(few) + 2  # two kinds more: pictures and people
