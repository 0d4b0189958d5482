"""What many do at the same time: counts stay exact, and each guard is shown to be what keeps them so."""

from datetime import timedelta
from unittest import mock

from django.test import TransactionTestCase
from django.utils import timezone

from account.tests.factories import make_user
from blog.models import Comment, Post, Tag, Tally
from blog.tests.factories import make_comment, make_post
from config.tests.races import Meeting, all_at_once


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
        assert Tally.objects.get(name=f"author:{author.pk}").posts == public
        assert Tally.objects.get(name="posts").posts == public + 1

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

    def test_two_posts_of_one_name_on_one_day_get_two_addresses_or_an_error_never_one_address(self):  # D45
        author = make_user()
        moment = timezone.now() - timedelta(days=2)

        def create(_):
            try:
                return Post.objects.create(title="Same", body="x", author=author, publish_at=moment, status="published")
            except Exception as error:
                return error

        all_at_once(create, range(8))

        slugs = list(Post.objects.filter(title="Same").values_list("slug", flat=True))
        assert slugs
        assert len(set(slugs)) == len(slugs)
        for post in Post.objects.filter(title="Same"):
            assert self.client.get(post.get_absolute_url()).status_code == 200

    def test_tags_changed_from_two_places_are_counted_right(self):
        def tag(number):
            Post.objects.get(pk=self.post.pk).tags.set([f"t{number % 3}", "shared"])

        all_at_once(tag, range(12))

        post = Post.objects.get(pk=self.post.pk)
        assert {tag["name"] for tag in post.tag_list} == set(post.tags.names())
        for tag_row in Tag.objects.all():
            assert tag_row.post_count == tag_row.post_tags.count()
