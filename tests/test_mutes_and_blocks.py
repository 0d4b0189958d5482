"""Mute and block across the apps; the rules stand at account.models.MuteOrBlock."""

from django.test import TestCase
from django.urls import reverse

from account.models import Follow
from account.tests.factories import make_user
from actions.models import Action
from actions.tasks import flush_views
from blog.models import Comment
from blog.tests.factories import make_comment, make_post
from blog.tests.test_comments import form_data
from images.tests.factories import make_image
from search import index

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


class TwoPeopleTests(TestCase):
    """Alice keeps away from Bob, whose picture is Boats and who likes Charlie's picture Hills."""

    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob, cls.charlie = make_user("alice"), make_user("bob"), make_user("charlie")
        cls.boats = make_image(owner=cls.bob, title="Boats")
        cls.hills = make_image(owner=cls.charlie, title="Hills")
        cls.hills.like(cls.bob)
        cls.post = make_post("On paper", author=make_user("editor"))
        cls.comment = make_comment(cls.post, author=cls.bob, name="Bob", body="Bob was here.")
        index.write_many([cls.alice, cls.bob, cls.charlie])
        index.write_many([cls.boats, cls.hills])

    def page(self, url: str, person=None, **query) -> str:
        self.client.logout()
        if person:
            self.client.force_login(person)
        return self.client.get(url, query, headers=BROWSER).content.decode()

    def search(self, text: str, person=None) -> str:
        return self.page(reverse("search"), person, q=text).partition("<ol")[2]

    def looked_at(self) -> None:
        for image in (self.boats, self.hills):
            self.page(image.get_absolute_url())
        flush_views()


class MuteTests(TwoPeopleTests):
    def setUp(self):
        self.alice.mute_or_block(self.bob, "mute")

    def test_board_ranking_and_front_page_leave_out_the_pictures(self):
        self.looked_at()

        for url in (reverse("images:image_list"), reverse("images:image_ranking"), reverse("home")):
            with self.subTest(url):
                assert "Hills" in self.page(url, self.alice)
                assert "Boats" not in self.page(url, self.alice)
                for other in (None, self.bob, self.charlie):
                    assert "Boats" in self.page(url, other)

    def test_faces_under_a_picture_leave_out_the_face_but_the_number_stays(self):
        url, face = self.hills.get_absolute_url(), self.bob.get_absolute_url()

        assert face not in self.page(url, self.alice)
        assert "1 like" in self.page(url, self.alice)
        assert face in self.page(url, self.charlie)
        assert face in self.page(url)

    def test_search_and_people_leave_out_the_person_and_the_pictures(self):
        assert "Bob" not in self.search("bob", self.alice)
        assert "Boats" not in self.search("boats", self.alice)
        assert "Hills" in self.search("hills", self.alice)
        assert self.bob.get_absolute_url() not in self.page(reverse("account:user_list"), self.alice)
        for other in (None, self.charlie, self.bob):
            assert "Bob" in self.search("bob", other)
            assert "Boats" in self.search("boats", other)
            assert self.bob.get_absolute_url() in self.page(reverse("account:user_list"), other)

    def test_search_tells_the_number_that_is_shown(self):
        self.client.force_login(self.alice)

        assert "Nothing found" in self.client.get(reverse("search"), {"q": "boats"}).text

    def test_a_page_of_nothing_but_withheld_hits_is_passed_over(self):
        boats = [make_image(owner=self.bob, title="Ships") for _ in range(22)]
        index.write_many([make_image(owner=self.charlie, title="Ships at last"), *boats])

        assert "at last" in self.search("ships", self.alice)

    def test_comment_is_folded_and_can_be_opened(self):
        page = self.page(self.post.get_absolute_url(), self.alice)

        assert "A comment of somebody you have muted" in page
        assert "Bob was here." in page
        assert "you have muted" not in self.page(self.post.get_absolute_url(), self.charlie)

    def test_stream_leaves_out_what_others_do_to_the_muted_person(self):
        self.alice.follow(self.charlie)
        self.charlie.follow(self.bob)
        self.boats.like(self.charlie)

        stream = self.page(reverse("account:dashboard"), self.alice).split("<section")[1]

        assert "Boats" not in stream
        assert "Bob" not in stream

    def test_muted_person_notices_nothing(self):
        mine = make_image(owner=self.alice, title="Mountains")
        index.write(mine)

        assert "Alice" in self.search("alice", self.bob)
        assert "Mountains" in self.page(reverse("images:image_list"), self.bob)
        self.client.post(reverse("images:image_like", args=[mine.pk]), {"action": "like"})
        mine.refresh_from_db()
        assert mine.total_likes == 1

    def test_own_list_shows_whom_and_is_the_way_back(self):
        assert "Bob" in self.page(reverse("account:mute_and_block_list"), self.alice)
        url = reverse("account:user_mute_or_block", args=["bob"])

        response = self.client.post(url, {"action": "lift", "back": "list"}, follow=True)

        self.assertContains(response, "You see Bob again.")
        self.assertContains(response, "You have muted and blocked nobody.")
        assert "Boats" in self.page(reverse("images:image_list"), self.alice)


class BlockTests(TwoPeopleTests):
    def setUp(self):
        self.alice.mute_or_block(self.bob, "block")

    def test_neither_finds_the_other_in_lists_and_search(self):
        for one, other in ((self.alice, self.bob), (self.bob, self.alice)):
            with self.subTest(one.username):
                assert other.get_absolute_url() not in self.page(reverse("account:user_list"), one)
                assert other.first_name not in self.search(other.username, one)

    def test_neither_likes_or_follows_the_other(self):
        hers = make_image(owner=self.alice)
        for one, image, other in ((self.bob, hers, self.alice), (self.alice, self.boats, self.bob)):
            self.client.force_login(one)
            like = self.client.post(reverse("images:image_like", args=[image.pk]), {"action": "like"})
            self.client.post(reverse("account:user_follow", args=[other.username]), {"action": "follow"})
            assert like.status_code == 404
        assert not Follow.objects.exists()
        assert not Action.objects.filter(actor=self.alice).exists()

    def test_blocked_person_does_not_comment_under_a_post_of_the_blocker(self):
        post = make_post(author=self.alice)
        url = reverse("blog:post_comment", args=[post.pk])
        assert "there is a block between you and the author" in self.page(post.get_absolute_url(), self.bob)

        assert self.client.post(url, form_data()).status_code == 403
        assert self.client.post(reverse("blog:post_comment", args=[self.post.pk]), form_data()).status_code == 302
        assert Comment.objects.filter(post=post).count() == 0

    def test_comments_of_either_are_left_out_for_the_other(self):
        make_comment(self.post, author=self.alice, name="Alice", body="Alice was here.")
        url = self.post.get_absolute_url()

        assert "Bob was here." not in self.page(url, self.alice)
        assert "Alice was here." not in self.page(url, self.bob)
        for other in (None, self.charlie):
            page = self.page(url, other)
            assert "Bob was here." in page
            assert "Alice was here." in page

    def test_faces_are_left_out_both_ways(self):
        self.hills.like(self.alice)
        url = self.hills.get_absolute_url()

        assert self.bob.get_absolute_url() not in self.page(url, self.alice)
        assert self.alice.get_absolute_url() not in self.page(url, self.bob)

    def test_visitors_see_everything_and_the_same(self):
        for url in (reverse("home"), reverse("images:image_list"), reverse("account:user_list")):
            before = self.page(url)
            self.charlie.mute_or_block(self.bob, "block")
            assert self.page(url) == before
            self.charlie.lift_mute_or_block(self.bob)
