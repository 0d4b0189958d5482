"""What many do at the same time: counts stay exact, and each guard is shown to be what keeps them so."""

from datetime import timedelta
from threading import get_ident
from unittest import mock

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.db.models import QuerySet
from django.test import TransactionTestCase
from django.utils import timezone

from account.tests.factories import make_user
from blog.models import Comment, Post, PostCount, Tag
from blog.tests.factories import make_comment, make_post
from core.tests.races import Meeting, all_at_once, many_writers, race


class CountRaceTests(TransactionTestCase):
    def setUp(self):
        self.post = make_post()

    def count(self):
        return Post.objects.get(pk=self.post.pk).comment_count

    def waiting_comments(self):
        return [make_comment(self.post, state="waiting") for _ in range(5)]

    def test_comments_approved_from_many_places_count_once(self):
        won = all_at_once(
            lambda comment: Comment.objects.get(pk=comment.pk).move("approved"), self.waiting_comments() * 4
        )

        assert won.count(True) == 5
        assert self.count() == 5

    def test_counting_by_read_and_write_would_lose_some(self):
        meeting = Meeting(5)

        def approve(comment):
            post = Post.objects.get(pk=comment.post_id)
            meeting.wait()
            Post.objects.filter(pk=post.pk).update(comment_count=post.comment_count + 1)

        all_at_once(approve, self.waiting_comments())

        assert self.count() == 1

    def test_posts_published_and_withdrawn_at_once_leave_exact_numbers(self):
        author = make_user()
        # Tags in different orders: writers that lock them in that order would wait for each other for ever.
        pairs = [("oak", "ash"), ("ash", "oak")]
        posts = [make_post(author=author, tags=pairs[n % 2], published=n % 3 > 0) for n in range(12)]

        def flip(post):
            post = Post.objects.get(pk=post.pk)
            post.status = "draft" if post.status == "published" else "published"
            post.save()

        all_at_once(flip, posts)

        public = Post.objects.published().filter(author=author).count()
        assert dict(Tag.objects.values_list("name", "post_count")) == {"oak": public, "ash": public}
        assert PostCount.objects.get(name=f"author:{author.pk}").posts == public
        assert PostCount.objects.get(name="posts").posts == public + 1

    def test_a_due_post_is_counted_once_by_many_sweeps(self):
        post = make_post(publish_at=timezone.now() + timedelta(hours=1), tags=("oak",))
        Post.objects.filter(pk=post.pk).update(publish_at=timezone.now())

        won = all_at_once(lambda _: Post.objects.get(pk=post.pk).count_if_due(), range(10))

        assert won.count(True) == 1
        assert Tag.objects.get(name="oak").post_count == 1

    def test_without_the_lock_a_due_post_is_counted_by_each_of_them(self):
        post = make_post(publish_at=timezone.now() + timedelta(hours=1), tags=("oak",))
        Post.objects.filter(pk=post.pk).update(publish_at=timezone.now())
        before = Post.objects.values("is_counted", "author_id").get(pk=post.pk)

        with mock.patch.object(Post, "lock", lambda post: before):
            all_at_once(lambda _: Post.objects.get(pk=post.pk).count_if_due(), range(5))

        assert Tag.objects.get(name="oak").post_count == 5

    def test_tags_changed_from_two_places_are_counted_right(self):
        def tag(number):
            Post.objects.get(pk=self.post.pk).tags.set([f"t{number % 3}", "shared"])

        all_at_once(tag, range(12))

        post = Post.objects.get(pk=self.post.pk)
        assert {tag["name"] for tag in post.tag_list} == set(post.tags.names())
        for tag_row in Tag.objects.all():
            assert tag_row.post_count == tag_row.post_tags.count()


class AddressRaceTests(TransactionTestCase):
    """Posts of one name on one day, each written when nobody has the address yet."""

    def write_at_once(self):
        author, moment = make_user(), timezone.now() - timedelta(days=2)
        looks = Meeting(8).after(Post._free_slug)

        def write(_):
            Post.objects.create(title="Same", body="x", author=author, publish_at=moment, status="published")

        with mock.patch.object(Post, "_free_slug", looks), many_writers("blog.models.posts"):
            return race(write, 8)

    def test_one_gets_the_address_and_the_others_an_error(self):  # D45
        """Looking for a free address is not what keeps them apart: the constraint is."""
        errors = self.write_at_once()

        assert [type(error) for error in errors] == [IntegrityError] * 7
        assert self.client.get(Post.objects.get(title="Same").get_absolute_url()).status_code == 200


class NewTagRaceTests(TransactionTestCase):
    """The same new tags on several posts: a tag is made once, and writers do not wait for each other."""

    ORDERS = [("oak", "ash", "elm"), ("elm", "oak", "ash"), ("ash", "elm", "oak")]

    def tag_at_once(self, posts):
        return race(lambda number: posts[number].tags.set(self.ORDERS[number % 3]), len(posts))

    def test_a_tag_is_made_once_and_stays_where_it_was_put(self):
        posts = [make_post() for _ in range(9)]

        assert self.tag_at_once(posts) == []

        assert dict(Tag.objects.values_list("name", "post_count")) == {"oak": 9, "ash": 9, "elm": 9}
        for number, post in enumerate(posts):
            post.refresh_from_db()
            assert tuple(tag["name"] for tag in post.tag_list) == self.ORDERS[number % 3]

    def test_looking_first_and_making_then_would_be_refused(self):
        posts = [make_post() for _ in range(5)]
        meeting, get_or_create = Meeting(5), QuerySet.get_or_create

        def make(rows, **values):
            if rows.model is not Tag:
                return get_or_create(rows, **values)
            meeting.wait()
            return rows.create(**values["defaults"]), True

        with mock.patch.object(QuerySet, "get_or_create", make), many_writers("blog.models.tags"):
            errors = race(lambda number: posts[number].tags.set(["oak"]), 5)

        assert [type(error) for error in errors] == [IntegrityError] * 4

    @pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer: nobody waits for another's row")
    def test_made_in_the_order_they_are_written_they_would_block_each_other(self):
        posts, meeting = [make_post() for _ in range(2)], Meeting(2)
        save, has_made = Tag.save, set()

        def save_and_wait(tag, *args, **kwargs):
            save(tag, *args, **kwargs)
            if get_ident() not in has_made:
                has_made.add(get_ident())
                meeting.wait()

        with mock.patch.object(Tag, "save", save_and_wait), mock.patch("blog.models.tags._folded", lambda tag: ""):
            errors = race(lambda number: posts[number].tags.set([("oak", "ash"), ("ash", "oak")][number]), 2)

        assert [type(error) for error in errors] == [OperationalError]
