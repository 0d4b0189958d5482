from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from defusedxml.ElementTree import fromstring
from django.test import TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from blog.models import Post, Tag
from blog.sitemaps import PostSitemap
from blog.tests.factories import make_comment, make_post
from core.web.tests.sitemap_files import file_of


class ListTests(TestCase):
    def test_newest_comes_first_and_drafts_not_at_all(self):
        make_post("Older", publish_at=timezone.now() - timedelta(days=3))
        make_post("Newer")
        make_post("Unfinished", published=False)

        response = self.client.get(reverse("blog:post_list"))

        assert [post.title for post in response.context["page"]] == ["Newer", "Older"]
        self.assertNotContains(response, "Unfinished")

    def test_nonsense_page_is_the_first_and_too_far_is_the_last(self):
        for _ in range(12):
            make_post()
        url = reverse("blog:post_list")

        assert self.client.get(url, {"page": "x"}).context["page"].number == 1
        assert self.client.get(url, {"page": "99"}).context["page"].number == 2
        assert len(self.client.get(url, {"page": "99"}).context["page"]) == 2

    def test_empty_blog_says_so(self):
        self.assertContains(self.client.get(reverse("blog:post_list")), "Nothing has been published here yet")

    def test_by_tag(self):
        make_post("With", tags=("oak",))
        make_post("Without", tags=("pine",))

        response = self.client.get(reverse("blog:post_list_by_tag", args=["oak"]))

        assert [post.title for post in response.context["page"]] == ["With"]
        assert self.client.get(reverse("blog:post_list_by_tag", args=["birch"])).status_code == 404

    def test_by_author(self):
        alice = make_user("alice", first_name="Alice")
        make_user("bob")
        make_post("Hers", author=alice)
        make_post("Other")

        response = self.client.get(reverse("blog:post_list_by_author", args=["alice"]))

        assert [post.title for post in response.context["page"]] == ["Hers"]
        self.assertContains(response, "Posts by Alice")
        assert self.client.get(reverse("blog:post_list_by_author", args=["bob"])).status_code == 404

    def test_by_year_month_and_day(self):
        make_post("May", publish_at=datetime(2024, 5, 6, 12, tzinfo=UTC))
        make_post("June", publish_at=datetime(2024, 6, 7, 12, tzinfo=UTC))

        def titles(*args):
            response = self.client.get(reverse("blog:post_list_by_date", args=args))
            return [post.title for post in response.context["page"]]

        assert titles(2024) == ["June", "May"]
        assert titles(2024, 5) == ["May"]
        assert titles(2024, 6, 7) == ["June"]
        assert self.client.get(reverse("blog:post_list_by_date", args=[2023])).status_code == 404
        assert self.client.get("/blog/2024/13/").status_code == 404

    def test_sidebar_counts_what_is_public_now(self):
        make_post("Public", tags=("oak",))
        soon = make_post("Soon", tags=("oak",), publish_at=timezone.now() + timedelta(hours=1))

        before = self.client.get(reverse("blog:post_list")).context["sidebar"]
        a_minute_ago = timezone.now() - timedelta(minutes=1)  # the hour comes; nobody saves
        Post.objects.filter(pk=soon.pk).update(publish_at=a_minute_ago)
        soon.post_tags.update(publish_at=a_minute_ago)
        after = self.client.get(reverse("blog:post_list_by_tag", args=["oak"])).context

        assert before.total == 1
        assert after["sidebar"].total == 2
        assert after["sidebar"].subject_count == 2
        assert {post.title for post in after["page"]} == {"Public", "Soon"}

    def test_most_commented_counts_public_comments_only(self):  # D55
        silent = make_post("Only hidden ones")
        for _ in range(3):
            make_comment(silent, state="hidden")
        talked = make_post("One public")
        make_comment(talked)

        boxes = self.client.get(reverse("blog:post_list")).context["sidebar"]

        assert [line.title for line in boxes.most_commented] == ["One public"]

    def test_wrong_method_is_405(self):
        assert self.client.post(reverse("blog:post_list")).status_code == 405


class QueryTests(TestCase):
    """The same number of queries for ten rows as for twenty, and in the first request as in the second."""

    @classmethod
    def setUpTestData(cls):
        for number in range(25):
            post = make_post(f"Post {number}", tags=("oak", "ash", f"t{number % 7}"))
            for _ in range(3):
                make_comment(post)
        cls.post = post

    def test_lists_take_three_or_four(self):
        with self.assertNumQueries(3):  # the posts, and two for what stands beside, which is kept until one changes
            self.client.get(reverse("blog:post_list"))
        with self.assertNumQueries(4):  # and the tag
            self.client.get(reverse("blog:post_list_by_tag", args=["oak"]) + "?page=2")
        with self.assertNumQueries(4):
            self.client.get(reverse("blog:post_list_by_author", args=[self.post.author.username]))
        with self.assertNumQueries(4):  # and a count, which is kept until a post changes
            self.client.get(reverse("blog:post_list_by_date", args=[self.post.publish_on.year]))

    def test_post_takes_at_most_four(self):
        with self.assertNumQueries(3):
            self.client.get(self.post.get_absolute_url())

    def test_pages_touch_no_session_and_are_the_same_for_every_visitor(self):
        for url in (reverse("blog:post_list"), self.post.get_absolute_url(), reverse("blog:post_feed")):
            response = self.client.get(url)
            assert not response.wsgi_request.session.accessed
            assert not response.cookies


class DetailTests(TestCase):
    def test_shows_body_tags_neighbours_and_similar_posts(self):
        first = make_post("First", tags=("oak",), publish_at=timezone.now() - timedelta(days=3))
        middle = make_post("Middle", tags=("oak", "ash"), publish_at=timezone.now() - timedelta(days=2))
        make_post("Last", tags=("oak", "ash"), body="**bold**")
        make_post("Draft", tags=("oak", "ash"), published=False)

        related = self.client.get(middle.get_absolute_url()).context["related"]

        assert related.previous.title == "First"
        assert related.next.title == "Last"
        assert [post.title for post in related.similar] == ["Last", "First"]
        assert self.client.get(first.get_absolute_url()).context["related"].previous is None

    def test_at_most_four_similar_posts_the_newest(self):
        for day in range(9, 2, -1):
            make_post(f"{day} days old", tags=("oak",), publish_at=timezone.now() - timedelta(days=day))
        post = make_post("The one", tags=("oak", "ash"))

        similar = self.client.get(post.get_absolute_url()).context["related"].similar

        assert [other.title for other in similar] == [f"{day} days old" for day in (3, 4, 5, 6)]

    def test_meta_tags(self):
        post = make_post("A title", excerpt="In a nutshell.")

        response = self.client.get(post.get_absolute_url())

        address = f"http://127.0.0.1:8000{post.get_absolute_url()}"
        self.assertContains(response, f'<link rel="canonical" href="{address}">', html=True)
        self.assertContains(response, '<meta property="og:type" content="article">', html=True)
        self.assertContains(response, '<meta name="description" content="In a nutshell.">', html=True)

    def test_draft_and_future_posts_are_404_everywhere(self):  # D46
        draft = make_post("Hidden words", published=False, tags=("oak",))
        future = make_post("Hidden words", publish_at=timezone.now() + timedelta(days=30), tags=("oak",))
        public = make_post("Public", tags=("oak",))

        for hidden in (draft, future):
            assert self.client.get(hidden.get_absolute_url()).status_code == 404
            assert self.client.get(reverse("blog:post_share", args=[hidden.pk])).status_code == 404
            assert self.client.post(reverse("blog:post_comment", args=[hidden.pk])).status_code == 404
        pages = [
            reverse("blog:post_list"),
            reverse("blog:post_list_by_tag", args=["oak"]),
            reverse("blog:post_list_by_date", args=[public.publish_on.year]),
            public.get_absolute_url(),
            reverse("blog:post_feed"),
            reverse("blog:tag_feed", args=["oak"]),
            f"/sitemap-posts-{file_of(public)}.xml",
        ]
        for page in pages:
            self.assertNotContains(self.client.get(page), "Hidden words")
            self.assertNotContains(self.client.get(page), "hidden-words")

    def test_a_tag_that_only_drafts_have_has_no_page(self):
        make_post("Hidden words", published=False, tags=("secret plan",))
        make_post("Later words", publish_at=timezone.now() + timedelta(days=30), tags=("secret plan",))
        pages = [reverse("blog:post_list_by_tag", args=["secret-plan"]), reverse("blog:tag_feed", args=["secret-plan"])]
        assert [self.client.get(page).status_code for page in pages] == [404, 404]

        post = make_post("Public", tags=("secret plan",))
        assert [self.client.get(page).status_code for page in pages] == [200, 200]

        post.status = Post.Status.DRAFT
        post.save()
        assert [self.client.get(page).status_code for page in pages] == [404, 404]

    def test_malformed_dates_are_404(self):  # D47
        for path in (
            "0/1/1/x",
            "99999/1/1/x",
            f"{'9' * 24}/1/1/x",
            "2024/2/30/x",
            "2024/0/1/x",
            f"2024/{'1' * 30}/1/x",
        ):
            assert self.client.get(f"/blog/{path}/").status_code == 404
        for path in ("0", "99999", "9" * 24, "2024/0", "2024/2/30", "9999/12/31", "9999"):
            assert self.client.get(f"/blog/{path}/").status_code == 404


class AddressTests(TestCase):
    @override_settings(TIME_ZONE="Europe/Madrid")
    def test_link_of_a_post_around_midnight_works(self):  # D44
        for hour, minute in ((23, 30), (22, 30), (0, 10)):
            post = make_post(publish_at=datetime(2024, 5, 6, hour, minute, tzinfo=UTC))
            assert self.client.get(post.get_absolute_url()).status_code == 200
            with timezone.override("Pacific/Auckland"):
                assert self.client.get(Post.objects.get(pk=post.pk).get_absolute_url()).status_code == 200

    def test_tags_in_any_script_have_pages(self):  # D43
        names = ("Москва", "日本語", "???", "C++", "हिन्दी", "العربية", "/", "..", "a/b")
        post = make_post(tags=names)

        response = self.client.get(reverse("blog:post_list"))

        assert response.status_code == 200
        assert len(post.tag_list) == len(names)
        for tag in post.tag_list:
            self.assertContains(self.client.get(reverse("blog:post_list_by_tag", args=[tag["slug"]])), post.title)
            assert self.client.get(reverse("blog:tag_feed", args=[tag["slug"]])).status_code == 200

    def test_sitemap_and_feed_use_the_configured_origin(self):  # D56
        post = make_post(tags=("oak",))
        with override_settings(SITE_URL="https://atelier.example", ALLOWED_HOSTS=["*"]):
            posts, tags = f"/sitemap-posts-{file_of(post)}.xml", f"/sitemap-tags-{file_of(Tag.objects.get())}.xml"
            for url in ("/sitemap.xml", posts, tags, "/blog/feed/", "/robots.txt"):
                response = self.client.get(url, headers={"host": "evil.test"})
                self.assertContains(response, "https://atelier.example/")
                self.assertNotContains(response, "evil.test")
            self.assertContains(self.client.get(posts), f"https://atelier.example{post.get_absolute_url()}")

    def test_sitemap_goes_on_in_more_files(self):
        posts = [make_post() for _ in range(5)]
        posts.pop(1).delete()
        with patch.object(PostSitemap, "limit", 2):
            first, last = file_of(posts[0], 2), file_of(posts[-1], 2)
            self.assertContains(self.client.get("/sitemap.xml"), f"/sitemap-posts-{last}.xml")
            named = [self.client.get(f"/sitemap-posts-{number}.xml").text for number in range(first, last + 1)]
            for post in posts:
                address = f"{post.get_absolute_url()}</loc>"
                assert [number for number, text in enumerate(named, first) if address in text] == [file_of(post, 2)]
            assert self.client.get(f"/sitemap-posts-{last + 1}.xml").status_code == 404
        assert self.client.get("/sitemap-nothing-1.xml").status_code == 404


class FeedTests(TestCase):
    def test_holds_the_full_text_with_full_addresses(self):
        make_post("With a link", body="[About](/about/) it, a < b & `x`.\n\nSecond paragraph.", tags=("oak",))

        for url in (reverse("blog:post_feed"), reverse("blog:tag_feed", args=["oak"])):
            response = self.client.get(url)
            assert response["Content-Type"].startswith("application/atom+xml")
            self.assertContains(response, "Second paragraph.")
            self.assertContains(response, "http://127.0.0.1:8000/about/")

    def test_control_characters_do_not_break_the_feed(self):
        make_post("Bell \x07 and \x0b tab", body="a\x08b\x0bc \ufffe", excerpt="x\x01y", tags=("t\x02ag",))

        for url in (reverse("blog:post_feed"), Tag.objects.get().get_absolute_url() + "feed/"):
            fromstring(self.client.get(url).content)

    def test_unknown_tag_is_404(self):
        assert self.client.get(reverse("blog:tag_feed", args=["nothing"])).status_code == 404
