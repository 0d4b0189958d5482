from datetime import timedelta

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from actions.models import Action
from actions.tasks import flush_views
from blog.models import Post
from blog.tasks import count_due_posts
from blog.tests.factories import make_comment, make_post

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


class StreamTests(TestCase):
    def verbs(self):
        return list(Action.objects.values_list("verb", flat=True))

    def test_a_new_post_is_told_once(self):
        post = make_post(publish_at=timezone.now())
        Post.objects.filter(pk=post.pk).set_status("draft")
        Action.objects.update(created_at=timezone.now() - timedelta(hours=1))
        Post.objects.filter(pk=post.pk).set_status("published")

        assert self.verbs() == ["published"]

    def test_drafts_and_old_posts_are_no_news(self):
        make_post(published=False)
        make_post(publish_at=timezone.now() - timedelta(days=400))

        assert self.verbs() == []

    def test_scheduled_post_is_told_when_its_hour_has_come(self):
        post = make_post(publish_at=timezone.now() + timedelta(minutes=1), tags=("oak",))
        assert self.verbs() == []
        Post.objects.filter(pk=post.pk).update(publish_at=timezone.now())

        assert count_due_posts() == 1
        assert count_due_posts() == 0
        assert self.verbs() == ["published"]
        assert self.client.get(reverse("blog:post_list_by_tag", args=["oak"])).context["sidebar"].total == 1

    def test_a_members_comment_is_told_when_it_is_public(self):
        post, bob = make_post(), make_user("bob")
        Action.objects.all().delete()
        waiting = make_comment(post, author=bob, state="waiting")
        make_comment(post)
        assert self.verbs() == []

        waiting.move("approved")

        assert self.verbs() == ["commented"]


class ViewTests(TestCase):
    def test_most_read_posts_stand_in_the_sidebar(self):
        make_post("Unread")
        read = make_post("Read")
        gone = make_post("Withdrawn")
        for post in (read, gone):
            self.client.get(post.get_absolute_url(), headers=BROWSER)
            self.client.get(post.get_absolute_url(), headers={"user-agent": "Googlebot/2.1"})
        flush_views()
        Post.objects.filter(pk=gone.pk).set_status("draft")

        sidebar = self.client.get(reverse("blog:post_list")).context["sidebar"]

        assert [(line.title, line.number) for line in sidebar.most_read] == [("Read", 1)]

    def test_a_look_at_a_page_kept_in_memory_counts_too(self):
        response = self.client.get(make_post().get_absolute_url(), headers=BROWSER)

        assert response.on_hit
