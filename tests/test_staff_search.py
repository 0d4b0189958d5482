"""What staff type into the search box of a long list finds its row, however it stands in the table, and asks indexes."""

from datetime import timedelta
from unittest.mock import patch

from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from actions.models import Action
from blog.models import Comment
from blog.tests.factories import make_comment, make_post
from core.staff import longtables
from images.tests.factories import make_image
from mail import outbox
from orders.tests.factories import make_order
from search import index
from shop.tests.factories import make_product


class StaffSearchTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.boss = make_user("boss", staff=True)
        cls.alice = make_user("alice", last_name="Liddell", email="hatter@example.org")

    def setUp(self):
        self.client.force_login(self.boss)

    def found(self, table, typed, **more):
        page = self.client.get(reverse(f"admin:{table}_changelist"), {"q": typed, **more})
        return set(page.context["cl"].result_list)

    def test_posts_by_title_text_and_author_whether_public_or_not(self):
        public = make_post("Walnut ink", body="Boiled for a day.", author=self.alice)
        draft = make_post("Walnut paper", published=False)
        scheduled = make_post("Walnut glue", publish_at=timezone.now() + timedelta(days=1))
        make_post("Oak")

        assert self.found("blog_post", "walnut") == {public, draft, scheduled}
        assert self.found("blog_post", "waln") == {public, draft, scheduled}
        assert self.found("blog_post", "boiled") == {public}
        assert self.found("blog_post", "Alic") == {public}
        assert self.found("blog_post", "walnut", status__exact="draft") == {draft}

    def test_products_on_show_and_off_show(self):
        shown, hidden = make_product("Brass vase"), make_product("Brass bowl", is_on_show=False)
        make_product("Tin cup")
        for product in (shown, hidden):
            index.write(product)

        assert self.found("shop_product", "brass") == {shown, hidden}

    def test_pictures_by_title_and_owner_also_private_ones(self):
        public, private = (
            make_image(title="Heron", owner=self.alice),
            make_image(title="Heron at home", is_private=True),
        )
        index.write(public)
        make_image(title="Wren")

        assert self.found("images_image", "heron") == {public, private}
        assert self.found("images_image", "alice") == {public}

    def test_people_by_name_username_and_address_also_switched_off(self):
        index.write(self.alice)
        gone = make_user("mallory", is_active=False)

        for typed in ("Liddell", "ALI", "hatter@", "hatter@example.org"):
            assert self.found("account_user", typed) == {self.alice}, typed
        assert self.found("account_user", "mallo") == {gone}

    def test_comments_by_address_post_and_what_waits_by_its_words(self):
        post = make_post("Walnut")
        said = make_comment(post, email="Hatter@example.org")
        waiting = make_comment(make_post("Oak"), body="Buy pills", state=Comment.State.WAITING)

        assert self.found("blog_comment", "hatter@exa") == {said}
        assert self.found("blog_comment", "walnut") == {said}
        assert self.found("blog_comment", "pills") == {waiting}

    def test_orders_of_long_ago_by_number_address_and_name(self):
        order = make_order(first_name="Ada", last_name="Lovelace", email="ada@example.org")
        make_order(last_name="Byron", email="byron@example.org")
        self.enterContext(patch.object(longtables, "NEWEST", 0))

        for typed in (f"#{order.pk}", str(order.pk), "ADA@example.org", "ada@", "lovel", "Ada Lovelace"):
            assert self.found("orders_order", typed) == {order}, typed

    def test_mails_by_number_address_and_words_of_the_subject(self):
        with transaction.atomic():
            outbox.enqueue(
                kind="x",
                dedup_key="x",
                to="Ada@example.org",
                template="account/email/gone",
                context={"user": self.alice},
            )
        mail = next(iter(self.found("mail_outgoingmail", "ada@exam")))

        for typed in (str(mail.pk), mail.message_id, mail.subject.split()[0]):
            assert self.found("mail_outgoingmail", typed) == {mail}, typed

    def test_acts_by_whose_they_are(self):
        act = Action.objects.record(self.alice, Action.Verb.REGISTERED)
        Action.objects.record(self.boss, Action.Verb.REGISTERED)

        assert self.found("actions_action", "alic") == {act}

    def test_no_search_looks_for_part_of_a_text_in_every_row(self):
        """The few rows that are in no index are read; each such statement says which they are."""
        for table in ("blog_post", "blog_comment", "shop_product", "images_image", "account_user", "orders_order"):
            with CaptureQueriesContext(connection) as captured:
                self.found(table, "walnut")
            reading = [
                query["sql"]
                for query in captured.captured_queries
                if f'FROM "{table}"' in query["sql"] and "LIKE" in query["sql"]
            ]

            for sql in reading:
                where = sql.partition(" WHERE ")[2].partition("LIKE")[0]
                assert any(
                    few in where for few in ("status", "state", "available", "is_active", " > ", "lower(", "LOWER(")
                ), sql


class PeriodTests(TestCase):
    def test_a_list_leads_to_the_years_before_without_reading_them(self):
        self.client.force_login(make_user("boss", staff=True))
        year = timezone.localtime().year - 1
        old = make_post("Old", publish_at=timezone.now().replace(year=year, month=2, day=3))
        make_post("New")
        address = reverse("admin:blog_post_changelist")

        page = self.client.get(address)
        [link] = [
            each
            for each in page.context["cl"].filter_specs[1].choices(page.context["cl"])
            if each["display"] == str(year)
        ]

        assert list(self.client.get(address + link["query_string"]).context["cl"].result_list) == [old]
