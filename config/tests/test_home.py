from datetime import timedelta

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from actions.models import ViewCount
from blog.tests.factories import make_post
from images.tests.factories import make_image
from shop.tests.factories import make_product


class HomeTests(TestCase):
    def test_empty_site_says_so_and_offers_a_way_on(self):  # D58
        self.assertContains(self.client.get(reverse("home")), "Nothing is here yet")

    def test_newest_post_leads_and_three_more_follow(self):
        now = timezone.now()
        for days in range(6):
            make_post(title=f"Post of day {days}", publish_at=now - timedelta(days=days + 1))

        html = self.client.get(reverse("home")).content.decode()

        assert html.index("Post of day 0") < html.index("Post of day 3")
        assert "Post of day 4" not in html

    def test_drafts_and_scheduled_posts_are_not_shown(self):
        make_post(title="Not yet", publish_at=timezone.now() + timedelta(days=1))
        make_post(title="Not ready", status="draft")

        response = self.client.get(reverse("home"))

        self.assertNotContains(response, "Not yet")
        self.assertNotContains(response, "Not ready")

    def test_new_products_are_shown_and_hidden_ones_not(self):
        make_product(name="Blue Notebook")
        make_product(name="Withdrawn Mug", is_on_show=False)

        response = self.client.get(reverse("home"))

        self.assertContains(response, "Blue Notebook")
        self.assertNotContains(response, "Withdrawn Mug")

    def test_most_viewed_pictures_come_first_then_the_newest(self):
        old, new = make_image(title="Old and loved"), make_image(title="New", stored=True)
        make_image(title="Secret", is_private=True)
        ViewCount.objects.create(target_kind="images.image", target_id=old.pk, views=9)

        images = self.client.get(reverse("home")).context["images"]

        assert [tile.pk for tile in images] == [old.pk, new.pk]

    def test_number_of_queries_does_not_grow_with_rows(self):
        self.fill(1)
        with CaptureQueriesContext(connection) as few:
            self.client.get(reverse("home"))

        self.fill(6)
        with CaptureQueriesContext(connection) as many:
            self.client.get(reverse("home"))

        assert len(many) <= len(few) <= 6

    def fill(self, times):
        for _ in range(times):
            make_post()
            make_product()
            image = make_image()
            ViewCount.objects.create(target_kind="images.image", target_id=image.pk, views=1)
