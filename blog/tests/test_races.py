"""What many do at the same time: counts stay exact, and each guard is shown to be what keeps them so."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest import mock

from django.db import connections
from django.test import TransactionTestCase
from django.utils import timezone

from account.tests.factories import make_user
from blog.models import Comment, Post, Tag, Tally
from blog.tests.factories import make_comment, make_post

THREADS = 20


def in_parallel(acts):
    """Run the callables at once, each with a database connection of its own; raise what they raise."""

    def run(act):
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, acts))


class CountRaceTests(TransactionTestCase):
    def setUp(self):
        self.post = make_post()

    def count(self):
        return Post.objects.get(pk=self.post.pk).comment_count

    def approve_from_everywhere(self):
        comments = [make_comment(self.post, state="waiting") for _ in range(5)]
        return [lambda comment=comment: Comment.objects.get(pk=comment.pk).move("approved") for comment in comments * 4]

    def test_comments_approved_from_many_places_count_once(self):
        won = in_parallel(self.approve_from_everywhere())

        assert won.count(True) == 5
        assert self.count() == 5

    def test_counting_by_read_and_write_would_lose_some(self):
        def approve(comment):
            post = Post.objects.get(pk=comment.post_id)
            time.sleep(0.05)
            Post.objects.filter(pk=post.pk).update(comment_count=post.comment_count + 1)

        comments = [make_comment(self.post, state="waiting") for _ in range(5)]
        in_parallel([lambda comment=comment: approve(comment) for comment in comments])

        assert self.count() < 5

    def test_posts_published_and_withdrawn_at_once_leave_exact_numbers(self):
        author = make_user()
        # Tags in different orders: writers that lock them in that order would wait for each other for ever.
        pairs = [("oak", "ash"), ("ash", "oak")]
        posts = [make_post(author=author, tags=pairs[n % 2], published=n % 3 > 0) for n in range(12)]

        def flip(pk):
            post = Post.objects.get(pk=pk)
            post.status = "draft" if post.status == "published" else "published"
            post.save()

        in_parallel([lambda pk=post.pk: flip(pk) for post in posts])

        public = Post.objects.published().filter(author=author).count()
        assert dict(Tag.objects.values_list("name", "post_count")) == {"oak": public, "ash": public}
        assert Tally.objects.get(name=f"author:{author.pk}").posts == public
        assert Tally.objects.get(name="posts").posts == public + 1

    def test_a_due_post_is_counted_once_by_many_sweeps(self):
        post = make_post(publish_at=timezone.now() + timedelta(hours=1), tags=("oak",))
        Post.objects.filter(pk=post.pk).update(publish_at=timezone.now())

        won = in_parallel([lambda: Post.objects.get(pk=post.pk).count_if_due()] * 10)

        assert won.count(True) == 1
        assert Tag.objects.get(name="oak").post_count == 1

    def test_without_the_lock_a_due_post_is_counted_more_than_once(self):
        post = make_post(publish_at=timezone.now() + timedelta(hours=1), tags=("oak",))
        Post.objects.filter(pk=post.pk).update(publish_at=timezone.now())
        before = Post.objects.values("is_counted", "author_id").get(pk=post.pk)

        with mock.patch.object(Post, "lock", lambda post: before):
            in_parallel([lambda: Post.objects.get(pk=post.pk).count_if_due()] * 5)

        assert Tag.objects.get(name="oak").post_count > 1

    def test_two_posts_of_one_name_on_one_day_get_two_addresses_or_an_error_never_one_address(self):  # D45
        author = make_user()
        moment = timezone.now() - timedelta(days=2)

        def create():
            try:
                return Post.objects.create(title="Same", body="x", author=author, publish_at=moment, status="published")
            except Exception as error:
                return error

        in_parallel([create] * 8)

        slugs = list(Post.objects.filter(title="Same").values_list("slug", flat=True))
        assert slugs
        assert len(set(slugs)) == len(slugs)
        for post in Post.objects.filter(title="Same"):
            assert self.client.get(post.get_absolute_url()).status_code == 200

    def test_tags_changed_from_two_places_are_counted_right(self):
        def tag(names):
            Post.objects.get(pk=self.post.pk).tags.set(names)

        in_parallel([lambda n=n: tag([f"t{n % 3}", "shared"]) for n in range(12)])

        post = Post.objects.get(pk=self.post.pk)
        assert {tag["name"] for tag in post.tag_list} == set(post.tags.names())
        for tag_row in Tag.objects.all():
            assert tag_row.post_count == tag_row.post_tags.count()
