from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.test import TestCase

from blog import text
from blog.models import Post, Tag
from blog.tests.factories import make_comment, make_post
from content import markdown
from content.tests.picture_files import picture_bytes
from search.engines import search


class PostTests(TestCase):
    def test_author_with_posts_can_not_be_deleted(self):  # D57
        post = make_post()

        with self.assertRaises(ProtectedError):
            post.author.delete()
        assert Post.objects.filter(pk=post.pk).exists()

    def test_database_refuses_a_second_post_at_one_address(self):  # D45
        post, other = make_post(), make_post()

        with self.assertRaises(IntegrityError):
            Post.objects.filter(pk=other.pk).update(slug=post.slug, publish_on=post.publish_on)

    def test_hostile_body_is_stored_clean_and_so_shown_in_list_page_and_feed(self):  # D42
        post = make_post(body="<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) fine")

        for url in ("/blog/", post.get_absolute_url(), "/blog/feed/"):
            page = self.client.get(url)
            self.assertNotContains(page, "alert(1)</script>")
            self.assertNotContains(page, "onerror")
            self.assertNotContains(page, "javascript:")

    def test_save_refuses_what_can_not_be_rendered_and_stores_nothing(self):
        with self.assertRaises(markdown.Refused):
            make_post("Endless", body="x" * 100_001)
        assert not Post.objects.exists()

    def test_slugs_are_made_of_the_title_in_any_script_and_never_twice_a_day(self):
        slugs = [make_post(title).slug for title in ("Москва", "Москва", "???", "???", "x" * 200)]

        assert slugs[:4] == ["москва", "москва-2", "post", "post-2"]

    def test_replaced_and_deleted_covers_leave_no_files(self):
        post = make_post()
        post.cover.save("a.png", ContentFile(picture_bytes()))
        first = post.cover.name
        with self.captureOnCommitCallbacks(execute=True):
            post.cover.save("b.png", ContentFile(picture_bytes()))
        assert not default_storage.exists(first)
        assert default_storage.exists(post.cover.name)

        with self.captureOnCommitCallbacks(execute=True):
            post.delete()
        assert not default_storage.exists(post.cover.name)

    def test_many_are_deleted_by_their_verbs(self):
        post = make_post(tags=("oak",))
        make_comment(post)
        other = make_post(tags=("oak",))
        make_comment(other)

        post.comments.all().delete()
        assert Post.objects.get(pk=post.pk).comment_count == 0
        Post.objects.all().delete()
        assert Tag.objects.get().post_count == 0
        assert search("number").hits == []

    def test_saving_one_field_leaves_the_rest_alone(self):
        post = make_post()
        post.title = "Changed"
        post.save(update_fields=["title"])
        assert Post.objects.get().title == "Changed"


class TextTests(TestCase):
    def test_summary_is_the_opening_without_headings_and_code(self):
        post = make_post(body="# Heading\n\nFirst & foremost.\n\n```\ncode\n```\n\nSecond[^1].\n\n[^1]: A note.")

        assert post.summary == "First & foremost. Second."

    def test_summary_of_a_long_text_ends_with_a_sentence(self):
        post = make_post(body="One sentence of some length opens. " + "Then one goes on and on, " * 20)
        short_start = make_post("Other", body="Hm. " + "Then one goes on and on, " * 20)

        assert post.summary.startswith("One sentence") and post.summary.endswith(" …")
        assert make_post("Third", body="Eight words are in each of these sentences. " * 20).summary.endswith(
            "sentences."
        )
        assert short_start.summary.endswith(" …")

    def test_reading_time_counts_words_and_logographs(self):
        assert text.reading_minutes("<p>" + "word " * 660 + "</p>") == 3
        assert text.reading_minutes("<p>" + "漢" * 880 + "</p>") == 2
        assert text.reading_minutes("") == 1
