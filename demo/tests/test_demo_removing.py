"""The demo goes, what its owner has made stays."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from account.models import User
from account.tests.factories import make_user
from archive.tables import all_models
from blog.models import Post, Tag
from blog.tests.factories import make_post
from demo.models import DemoContent
from demo.people import PASSWORD as DEMO_PASSWORD
from demo.people import STAFF
from images.models import Image
from images.tests.factories import make_image
from orders.models import Invoice, Order
from orders.tests.factories import make_order
from payment.models import Payment
from search.models import Document
from shop.models import Product
from shop.tests.factories import make_product

# What migrations write, and counts that may stand at nothing.
WRITTEN_ANYWAY = {"contenttypes.ContentType", "auth.Permission", "core.SweepRun", "blog.PostCount"}


def demo(**options):
    out = StringIO()
    with override_settings(DEBUG=True):
        call_command("demo", stdout=out, stderr=out, verbosity=0, **options)
    return out.getvalue()


def rows():
    counts = {model._meta.label: model._base_manager.count() for model in all_models(apps)}
    return {label: number for label, number in counts.items() if number and label not in WRITTEN_ANYWAY}


class DemoRemovingTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        demo(posts=4, pictures=3, products=5, orders=12)

    def test_no_row_of_it_stays_but_words_that_the_search_has_seen(self):
        said = demo(remove=True)

        assert "12 posts, pictures and products are gone" in said
        assert {label for label in rows() if not label.startswith("search.")} == set()
        assert not Document.objects.exists()
        self.assertContains(self.client.get("/blog/"), "0 posts so far")

    def test_a_second_time_it_says_that_there_is_nothing_left(self):
        demo(remove=True)
        before = rows()

        assert demo(remove=True) == "There is nothing of the demo on this site (any more), so nothing was removed.\n"
        assert rows() == before

    def test_what_the_owner_has_made_stays(self):
        owner = make_user("owner", staff=True)
        post = make_post("Opening day", tags=("news",), author=owner)
        product = make_product("A real thing")
        picture = make_image(owner=owner, stored=True)
        User.objects.get(username="anna").follow(owner)
        picture.like(User.objects.get(username="anna"))

        demo(remove=True)

        assert list(User.objects.all()) == [owner]
        assert list(Post.objects.all()) == [post]
        assert list(Product.objects.all()) == [product]
        assert list(Tag.objects.values_list("name", flat=True)) == ["news"]
        assert Image.objects.get().total_likes == 0
        assert default_storage.exists(Image.objects.get().file.name)
        self.assertContains(self.client.get("/search/?q=opening"), "/opening-day/")

    def test_orders_placed_for_trying_go_with_it_and_numbers_begin_anew(self):
        trial = make_order(paid=True)
        Payment.objects.filter(order=trial).update(session_id="cs_test_1")

        demo(remove=True)

        assert not Order.objects.exists()
        make_order(paid=True)
        assert Invoice.objects.get().number == 1

    def test_a_shop_that_has_taken_real_money_keeps_its_books(self):
        sold = make_order(paid=True)
        Payment.objects.create(order=sold, payment_intent="pi_1", session_id="cs_live_1", amount=100, currency="EUR")
        before = rows()

        with pytest.raises(CommandError, match="has taken real money"):
            demo(remove=True)
        assert rows() == before

    def test_a_post_of_one_s_own_signed_by_the_demo_is_named(self):
        make_post("Opening day", author=User.objects.get(username="staff"))

        with pytest.raises(CommandError, match=r"“Opening day”\. Give them another author"):
            demo(remove=True)
        assert DemoContent.objects.exists()


class WithoutDemoTests(TestCase):
    def test_a_site_of_one_s_own_is_left_alone(self):
        make_post()

        assert "nothing of the demo on this site" in demo(remove=True)
        assert Post.objects.count() == 1

    def test_accounts_of_a_demo_that_kept_no_note_are_said(self):
        staff = make_user(STAFF)
        staff.set_password(DEMO_PASSWORD)
        staff.save()

        with pytest.raises(CommandError, match="There are accounts of the demo here, but no note"):
            demo(remove=True)
        assert User.objects.get().is_active
