from datetime import timedelta

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from blog.models import Post
from blog.tests.factories import make_post


class SearchTests(TestCase):
    def found(self, query):
        return self.client.get(reverse("blog:post_search"), {"query": query}).context["found"]

    def urls(self, query):
        return [hit.url for hit in self.found(query).hits]

    def test_finds_words_of_body_and_tags(self):  # D52
        what_the_summary_says = "Wood is a material. " * 50
        post = make_post("A title", body=f"{what_the_summary_says} About **dovetails** and glue.", tags=("Joinery",))

        assert self.urls("dovetail") == [post.get_absolute_url()]
        assert self.urls("joinery") == [post.get_absolute_url()]

    def test_finds_one_word_of_a_long_title(self):  # D53
        make_post("How we learned to write long titles about Python and other snakes")

        assert len(self.urls("python")) == 1

    def test_change_of_tags_is_found_at_once(self):
        post = make_post(tags=("Joinery",))
        post.tags.set(["Turning"])

        assert self.urls("joinery") == []
        assert len(self.urls("turning")) == 1

    def test_drafts_future_and_deleted_posts_are_not_found(self):
        make_post("Walnut", published=False)
        make_post("Walnut", publish_at=timezone.now() + timedelta(days=1))
        make_post("Walnut").delete()
        withdrawn = make_post("Walnut")
        Post.objects.filter(pk=withdrawn.pk).set_status("draft")

        assert self.urls("walnut") == []

    def test_odd_input_is_no_error(self):  # D54
        for query in ("", "%", '"', "'", "🙂", "AND", "*", "^", "x" * 7000, "' OR 1=1--"):
            response = self.client.get(reverse("blog:post_search"), {"query": query})
            assert response.status_code == 200
        self.assertContains(self.client.get(reverse("blog:post_search"), {"query": "<b>x"}), "&lt;b&gt;x")

    def test_takes_two_queries_at_most(self):
        make_post("Walnut")
        with self.assertNumQueries(2):
            self.found("walnut")

    def test_post_with_a_long_slug_in_another_script_can_be_stored(self):
        post = make_post("日本語の長い題名です" * 15)

        assert self.client.get(post.get_absolute_url()).status_code == 200
