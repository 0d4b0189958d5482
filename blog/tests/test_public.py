"""What our own statements read of posts is what the models say."""

from datetime import timedelta

from django.test import TestCase
from django.utils import timezone

from blog import public
from blog.models import Comment, Post
from blog.models.posts import IS_PUBLISHED
from blog.tests.factories import make_comment, make_post
from core import sql

MOMENT = timedelta(microseconds=1)


class VisibilityTests(TestCase):
    def test_statements_and_querysets_call_the_same_posts_public(self):
        now = timezone.now()
        for status in Post.Status:
            for at in (now - timedelta(days=400), now - MOMENT, now, now + MOMENT, now + timedelta(days=400)):
                make_post(status=status, publish_at=at)
        found = {pk for (pk,) in sql.rows("blog", f"SELECT id FROM blog_post WHERE {IS_PUBLISHED}", now=now)}

        assert found == set(Post.objects.published(now).values_list("pk", flat=True))
        assert len(found) == 3

    def test_no_reader_is_given_a_draft_or_a_post_to_come(self):
        hidden = [make_post(published=False), make_post(publish_at=timezone.now() + timedelta(minutes=1))]

        assert public.newest(5) == []
        assert [public.one(post.publish_on, post.slug) for post in hidden] == [None, None]

    def test_comments_that_are_not_approved_are_not_read(self):
        post = make_post()
        for state in Comment.State:
            make_comment(post, body=state, state=state)

        page = self.client.get(post.get_absolute_url())

        assert [comment.body for comment in page.context["comments"]] == ["approved"]


class SameTests(TestCase):
    def assert_same(self, read, model, names):
        for name in names.split():
            of_read, of_model = getattr(read, name), getattr(model, name)
            values = [value() if callable(value) else value for value in (of_read, of_model)]
            assert values[0] == values[1], name
            assert type(values[0]) is type(values[1]), name

    def test_a_post_says_what_its_model_says(self):
        cover = {"cover": "blog/none/cover.jpg", "cover_width": 900, "cover_height": 600, "cover_alt": "A boat"}
        pk = make_post("Größe & <b>", tags=("oak", "Ümlaut & <i>"), excerpt="So.", **cover).pk
        post = Post.objects.select_related("author").get(pk=pk)

        read = public.one(post.publish_on, post.slug)

        names = "pk title slug publish_on publish_at summary tag_list reading_minutes comment_count cover_alt"
        self.assert_same(read, post, f"{names} author_id is_open body_html get_absolute_url")
        self.assert_same(read.author, post.author, "username first_name last_name get_username get_full_name")
        self.assert_same(read.cover, post.cover, "name width height")
        assert public.newest(1) == [read._replace(author_id=0, is_open=False, body_html="")]

    def test_a_post_without_a_cover_has_none(self):
        make_post()

        assert public.newest(1)[0].cover is None

    def test_a_comment_says_what_its_model_says(self):
        comment = make_comment(make_post(), body="<b>")

        read = self.client.get(comment.post.get_absolute_url()).context["comments"][0]

        self.assert_same(read, comment, "pk name body created_at author_id")
