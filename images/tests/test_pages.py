from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import TestCase, override_settings
from django.urls import reverse

from account.tests.factories import make_user
from actions.popularity import most_viewed
from actions.tasks import flush_views
from content.pictures import files_of
from core.stores import redisstore
from images.models import Image
from images.page import find_pictures, largest
from images.templatetags.images_tags import tiles
from images.tests.factories import make_image
from images.tiles import Tile
from search.models import Document

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


class ListTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")

    def get(self, **query):
        return self.client.get(reverse("images:image_list"), query)

    def test_public_ready_pictures_newest_first(self):
        first, second = make_image(owner=self.alice, title="First"), make_image(owner=self.alice, title="Second")
        for fields in [{"is_private": True}, {"status": "fetching"}, {"status": "failed"}]:
            make_image(owner=self.alice, title="Hidden", **fields)
        make_image(owner=make_user("gone", is_active=False), title="Hidden")

        response = self.get()

        assert [tile.pk for tile in response.context["page"].object_list] == [second.pk, first.pk]
        self.assertNotContains(response, "Hidden")

    def test_list_is_one_query_however_long(self):  # D40
        for _ in range(10):
            make_image()
        with self.assertNumQueries(1):
            self.get()
        for _ in range(20):
            make_image()
        with self.assertNumQueries(1):
            self.get()

    def test_pictures_have_size_alternative_text_and_choices(self):  # D41
        make_image(alt='"Boats"')

        response = self.get()

        self.assertContains(response, 'alt="&quot;Boats&quot;"')
        self.assertContains(response, 'width="400" height="400"')
        self.assertContains(response, "800w" if "800w" in response.content.decode() else "600w")

    def test_tile_weighs_little(self):
        image = Tile(60, "Noon, no shade", "noon", "Yellow hills", f"images/82/{32 * 'a'}.jpg", 900, 900, 12)

        assert len(tiles([image])) <= 550

    def test_pages_are_real_links_and_htmx_gets_tiles_only(self):
        for _ in range(30):
            make_image(owner=self.alice)

        self.assertContains(self.get(), "?page=2")
        self.assertContains(self.get(page=2), "Newer")
        tiles = self.client.get(reverse("images:image_list"), {"page": 2}, headers={"HX-Request": "true"})
        self.assertNotContains(tiles, "<html")
        assert tiles.content.count(b'class="tile"') == 6
        assert "HX-Request" in tiles["Vary"]

    def test_any_page_number_is_answered(self):  # D38
        for _ in range(30):
            make_image(owner=self.alice)

        for typed, number in [
            ("abc", 1),
            ("-1", 1),
            ("0", 1),
            ("", 1),
            ("99", 2),
            ("9" * 5000, 2),
            ("٣", 2),
            ("1.5", 1),
        ]:
            with self.subTest(typed):
                assert self.get(page=typed).context["page"].number == number

    def test_empty_board_says_what_to_do(self):
        self.assertContains(self.get(), reverse("images:image_create"))

    def test_visitor_gets_no_session_and_no_cookie(self):
        make_image()

        assert not self.get().cookies


class OfOnePersonTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob = make_user("alice"), make_user("bob")
        cls.url = reverse("images:image_list_by_owner", args=["alice"])
        make_image(owner=cls.bob, title="Not hers")
        make_image(owner=cls.alice, title="Diary", is_private=True)
        for number in range(30):
            make_image(owner=cls.alice, title=f"Hers {number}")

    def shown(self, page: int = 1, **headers) -> str:
        return self.client.get(self.url, {"page": page}, headers=headers).text

    def test_all_of_them_in_pages_and_nobody_elses(self):
        first, second = self.shown(), self.shown(2)

        assert first.count('class="tile"') == 24
        assert second.count('class="tile"') == 6
        assert f"{self.url}?page=2" in first
        assert "Not hers" not in first + second
        assert self.shown(99) == second
        assert "<html" not in self.shown(2, **{"HX-Request": "true"})

    def test_private_ones_are_shown_to_their_owner_only(self):
        for person, seen in ((None, False), (self.bob, False), (self.alice, True)):
            self.client.logout()
            if person:
                self.client.force_login(person)
            assert ("Diary" in self.shown(2)) == seen

    def test_whoever_is_blocked_finds_no_such_page(self):
        self.alice.mute_or_block(self.bob, "block")
        self.client.force_login(self.bob)

        assert self.client.get(self.url).status_code == 404
        assert self.client.get(reverse("images:image_list_by_owner", args=["nobody"])).status_code == 404

    def test_profile_and_dashboard_lead_there(self):
        self.client.force_login(self.alice)

        for url in (self.alice.get_absolute_url(), reverse("account:dashboard")):
            self.assertContains(self.client.get(url), f'href="{self.url}"')

    def test_queries_do_not_grow_with_pictures(self):
        for _ in range(2):
            with self.assertNumQueries(2):  # the person, and these
                self.shown()
            make_image(owner=self.alice)


class DetailTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob = make_user("alice"), make_user("bob")
        cls.image = make_image(owner=cls.alice, title="Boats", page_url="https://www.harbour.example/x?y=1")

    def test_credit_names_the_place_it_came_from(self):
        response = self.client.get(self.image.get_absolute_url())

        self.assertContains(response, "harbour.example</a>")
        self.assertContains(response, 'rel="nofollow ugc noopener noreferrer"')

    def test_other_title_in_the_address_leads_to_the_right_one(self):
        wrong = reverse("images:image_detail", args=[self.image.pk, "old-title"])

        self.assertRedirects(self.client.get(wrong), self.image.get_absolute_url(), status_code=301)

    def test_unknown_and_odd_numbers_are_not_found(self):
        for pk in [0, 999_999, 2**63, 10**30]:
            assert self.client.get(f"/images/detail/{pk}/x/").status_code == 404

    def test_private_picture_is_there_for_its_owner_only(self):
        private = make_image(owner=self.alice, is_private=True)
        for person, status in [(None, 404), (self.bob, 404), (self.alice, 200)]:
            self.client.logout()
            if person:
                self.client.force_login(person)
            for name in ["image_detail"]:
                url = reverse(f"images:{name}", args=[private.pk, private.slug])
                assert self.client.get(url).status_code == status

    def test_queries_do_not_grow_with_fans(self):
        number = 3 if settings.REDIS_URL else 4  # without Redis, the look at the page is a row

        for _ in range(2):
            for _ in range(10):
                self.image.like(make_user())
            with self.assertNumQueries(number):
                self.client.get(self.image.get_absolute_url(), headers=BROWSER)

    def test_view_is_counted_once_a_visitor(self):  # D35
        for _ in range(3):
            response = self.client.get(self.image.get_absolute_url(), headers=BROWSER)

        self.assertContains(response, "1 view")

    def test_programs_are_not_counted(self):
        self.client.get(self.image.get_absolute_url(), headers={"User-Agent": "Googlebot/2.1"})

        self.assertContains(self.client.get(self.image.get_absolute_url()), "0 views")


class OwnerTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob = make_user("alice"), make_user("bob")

    def url(self, name: str, image: Image) -> str:
        return reverse(f"images:{name}", args=[image.pk])

    def test_owner_edits(self):
        image = make_image(owner=self.alice, stored=True)
        self.client.force_login(self.alice)

        self.client.post(self.url("image_edit", image), {"title": "New title", "alt": "A boat", "total_likes": "9"})

        image.refresh_from_db()
        assert (image.title, image.slug, image.alt, image.total_likes) == ("New title", "new-title", "A boat", 0)
        assert Document.objects.get(kind="image").title == "New title"

    def test_picture_made_private_leaves_list_and_search(self):
        image = make_image(owner=self.alice, stored=True)
        self.client.force_login(self.alice)

        self.client.post(self.url("image_edit", image), {"title": "Mine", "is_private": "on"})

        assert not Document.objects.filter(kind="image").exists()
        assert not Image.objects.public().exists()

    def test_bad_input_comes_back(self):
        image = make_image(owner=self.alice)
        self.client.force_login(self.alice)

        for data in [{"title": ""}, {"title": "x" * 201}, {"title": "x", "description": "y" * 2001}]:
            assert self.client.post(self.url("image_edit", image), data).status_code == 422

    def test_delete_asks_first_and_then_removes_everything(self):
        image = make_image(owner=self.alice, stored=True)
        image.like(self.bob)
        names = files_of(image.file.name)
        self.client.force_login(self.alice)

        self.assertContains(self.client.get(self.url("image_delete", image)), "Delete")
        assert Image.objects.exists()
        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(self.url("image_delete", image))

        assert not Image.objects.exists()
        assert not Document.objects.filter(kind="image").exists()
        assert not any(default_storage.exists(name) for name in names)

    def test_strangers_find_nothing_to_edit_delete_or_fetch(self):
        image = make_image(owner=self.alice)
        self.client.force_login(self.bob)

        for name in ["image_edit", "image_delete", "image_fetch"]:
            assert self.client.post(self.url(name, image), {"title": "x"}).status_code == 404
        self.client.logout()
        for name in ["image_edit", "image_delete", "image_fetch"]:
            assert self.client.post(self.url(name, image)).status_code == 302
        assert Image.objects.exists()


class RankingTests(TestCase):
    def look(self, image: Image, times: int) -> None:
        for number in range(times):
            self.client.get(image.get_absolute_url(), headers=BROWSER, REMOTE_ADDR=f"192.0.2.{number}")

    def test_most_viewed_first_and_gone_ones_skipped(self):  # D24
        seldom, often, gone = make_image(title="Seldom"), make_image(title="Often"), make_image(title="Gone")
        self.look(seldom, 1)
        self.look(often, 3)
        self.look(gone, 5)
        flush_views()
        gone.remove()

        response = self.client.get(reverse("images:image_ranking"))

        assert [image.title for image in response.context["images"]] == ["Often", "Seldom"]

    def test_what_is_made_private_after_it_was_ranked_is_not_shown(self):
        image = make_image(title="Boats")
        self.look(image, 1)
        flush_views()

        def ranked_just_before(rows, limit):
            ids = most_viewed(rows, limit)
            Image.objects.update(is_private=True, title="For me alone")
            return ids

        with patch("actions.popularity.most_viewed", ranked_just_before):
            page = self.client.get(reverse("images:image_ranking"))

        assert not page.context["images"]

    def test_pages_open_while_redis_is_away(self):  # D36
        image = make_image(title="Boats")
        self.addCleanup(redisstore.forget_failure)
        with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
            redisstore.forget_failure()
            for url in (image.get_absolute_url(), reverse("images:image_ranking"), reverse("images:image_list")):
                assert self.client.get(url, headers=BROWSER).status_code == 200

    def test_empty_ranking_says_so(self):
        assert self.client.get(reverse("images:image_ranking")).status_code == 200


class AdminTests(TestCase):
    def test_deleting_in_the_admin_removes_files_and_index(self):
        image = make_image(stored=True)
        name = image.file.name
        self.client.force_login(make_user("boss", staff=True))

        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(reverse("admin:images_image_delete", args=[image.pk]), {"post": "yes"})

        assert not Image.objects.exists()
        assert not default_storage.exists(name)

    def test_lists_open(self):
        make_image().like(make_user())
        self.client.force_login(make_user("boss", staff=True))

        for name in ["images_image", "images_like", "account_user", "account_follow"]:
            assert self.client.get(reverse(f"admin:{name}_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("srcset", "largest_one"),
    [
        ("a.jpg 1x, b.jpg 2x", "b.jpg"),
        ("a.jpg 320w, b.jpg 1280w, c.jpg 640w", "b.jpg"),
        ("a.jpg", "a.jpg"),
        ("", ""),
        ("a.jpg nonsense, ", "a.jpg nonsense"),
    ],
)
def test_largest_of_a_srcset(srcset, largest_one):
    assert largest(srcset) == largest_one


def test_page_names_its_pictures_best_first():
    html = """<meta name="twitter:image" content="https://cdn.example/t.jpg"><img src="one.png" srcset="two.png 2x">
        <link rel="image_src" href="//cdn.example/l.jpg"><img src="data:image/png;base64,AA"><img><img src="javascript:x">"""

    assert find_pictures(html, "https://e.example/dir/") == [
        "https://cdn.example/t.jpg",
        "https://cdn.example/l.jpg",
        "https://e.example/dir/two.png",
    ]


def test_broken_html_is_read_quickly():
    hostile = ["<img ", "<", "<meta property=og:image content=", "<!--", "<![", "<?", "<a=", "<img src=[", "<img a />"]
    for html in [part * (1_000_000 // len(part)) for part in hostile]:
        assert find_pictures(html, "https://e.example/") is not None


class MuteAndBlockTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice, cls.bob = make_user("alice"), make_user("bob")
        cls.image = make_image(owner=cls.alice, title="Boats")

    def board(self) -> str:
        return self.client.get(reverse("images:image_list")).content.decode()

    def test_muted_owner_leaves_the_board_but_not_the_page(self):
        self.bob.mute_or_block(self.alice, "mute")
        self.client.force_login(self.bob)

        assert "Boats" not in self.board()
        assert self.client.get(self.image.get_absolute_url()).status_code == 200

    def test_block_hides_pictures_both_ways(self):
        self.alice.mute_or_block(self.bob, "block")
        self.client.force_login(self.bob)

        assert "Boats" not in self.board()
        assert self.client.get(self.image.get_absolute_url()).status_code == 404
        assert (
            self.client.post(reverse("images:image_like", args=[self.image.pk]), {"action": "like"}).status_code == 404
        )
