from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from account.tests.factories import make_user
from actions.models import Action
from content.fetch import Fetched, FetchRefused
from content.pictures import files_of
from content.tests.picture_files import picture_bytes
from core.tests.sink import Sink, http_answer, redirect
from images import download
from images.models import Image
from images.tasks import sweep_fetches
from images.tests.factories import make_image, make_picture
from search.models import Document


class FakeWeb:
    """Stands in for content.fetch: addresses and what they answer."""

    def __init__(self, pages: dict[str, Fetched | Exception]) -> None:
        self.pages, self.asked, self.referers = pages, [], []

    def __call__(self, url: str, *, referer: str = "") -> Fetched:
        self.asked.append(url)
        self.referers.append(referer)
        answer = self.pages.get(url, FetchRefused())
        if isinstance(answer, Exception):
            raise answer
        return answer


def picture_at(url: str, content: bytes = b"") -> Fetched:
    return Fetched(content or picture_bytes("JPEG", (90, 60)), "image/jpeg", url)


class SaveByAddressTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")

    def setUp(self):
        self.client.force_login(self.alice)

    def save(self, web: dict | None = None, **data) -> Image | None:
        self.web = FakeWeb(web or {})
        with patch.object(download, "fetch", self.web), self.captureOnCommitCallbacks(execute=True):
            self.response = self.client.post(reverse("images:image_create"), data)
        return Image.objects.first()

    def test_picture_is_fetched_in_the_background_and_shown(self):
        url = "https://example.com/sea.jpg"

        image = self.save(
            {url: picture_at(url)}, source_url=url, title="The sea", alt="Waves", page_url="https://x.example/"
        )

        self.assertRedirects(self.response, image.get_absolute_url())
        assert (image.status, image.title, image.width, image.height) == (Image.Status.READY, "The sea", 90, 60)
        assert self.web.referers == ["https://x.example/"]
        assert all(default_storage.exists(name) for name in files_of(image.file.name))
        assert Action.objects.get().target == image
        assert Document.objects.get(kind="image").title == "The sea"
        self.assertContains(self.client.get(image.get_absolute_url()), 'alt="Waves"')

    def test_saving_asks_no_other_server_before_it_answers(self):  # D29
        """A server that never answers must hold up the background work, not the site."""
        web = FakeWeb({})
        with patch.object(download, "fetch", web):
            with self.captureOnCommitCallbacks() as waiting:
                url = reverse("images:image_create")
                response = self.client.post(url, {"source_url": "https://example.com/slow.jpg"})
            assert response.status_code == 302
            assert web.asked == []
            for work in waiting:
                work()
        assert web.asked == ["https://example.com/slow.jpg"]

    def test_page_gives_the_picture_it_names(self):
        html = """<html><head><title>Harbours &amp;
 boats</title><meta property="og:image" content="/main.jpg"></head>
            <body><img src="logo.gif"></body></html>"""
        web = {
            "https://example.com/page": Fetched(html.encode(), "text/html", "https://www.example.com/page"),
            "https://www.example.com/main.jpg": picture_at(""),
        }

        image = self.save(web, source_url="https://example.com/page")

        assert image.is_ready
        assert self.web.asked == ["https://example.com/page", "https://www.example.com/main.jpg"]
        assert (image.title, image.slug) == ("Harbours & boats", "harbours-boats")
        self.assertContains(self.client.get(self.response.url, follow=True), "Harbours &amp; boats")

    def test_title_that_was_typed_stays(self):
        html = b"<title>Page</title><img src=/main.jpg>"
        web = {
            "https://example.com/page": Fetched(html, "text/html", "https://example.com/page"),
            "https://example.com/main.jpg": picture_at(""),
        }

        assert self.save(web, source_url="https://example.com/page", title="Mine").title == "Mine"

    def test_whatever_is_wrong_is_told_with_one_text(self):  # D27
        answers = [
            FetchRefused("secret reason"),
            Fetched(b"<html>404</html>", "text/html", "https://example.com/x"),
            Fetched(b"<svg onload=alert(1)>", "image/svg+xml", "https://example.com/x"),
            Fetched(b"<html>", "image/png", "https://example.com/x"),
            Fetched(b"\0" * 100, "image/jpeg", "https://example.com/x"),
        ]
        pages = set()
        for answer in answers:
            image = self.save({"https://example.com/x": answer}, source_url="https://example.com/x", title="Same")
            assert image.status == Image.Status.FAILED
            page = self.client.get(image.get_absolute_url()).content.decode()
            assert "We could not get anything we can use" in page
            assert "secret" not in page
            figure = page.split("<figure")[1].split("</figure")[0]
            pages.add(figure.replace(f"/{image.pk}/", "/N/"))
            image.delete()
        assert len(pages) == 1
        assert not Action.objects.exists()
        assert not Document.objects.filter(kind="image").exists()

    def test_address_that_can_never_do_is_a_field_error(self):  # D30
        for url in ["ftp://x.example/a.png", "http://example.com:22/", "file:///etc/passwd", "nonsense", "http://u@x/"]:
            self.save(source_url=url)
            self.assertContains(self.response, "We could not get anything", status_code=422)
            self.assertContains(self.response, url.replace("&", "&amp;"), status_code=422)
        assert not Image.objects.exists()

    def test_a_number_of_a_closed_network_is_refused_at_the_form(self):
        closed = [
            "[::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "10.1.2.3",
            "127.1",
            "0x7f000001",
            "2130706433",
            "192.168.0.1.",
        ]
        for host in closed:
            with self.subTest(host):
                image = self.save(source_url=f"http://{host}/a.png")

                self.assertContains(self.response, "We could not get anything", status_code=422)
                assert image is None
                assert self.web.asked == []

    def test_a_number_of_the_open_internet_is_taken(self):
        for host in ["1.1.1.1", "[2606:4700::1111]"]:
            assert self.save(source_url=f"http://{host}/a.png") is not None

    def test_titles_without_letters_break_no_address(self):  # D31
        for title in ["???", "日本語", "-", " . ", "\u202e", "💥" * 50]:
            with self.subTest(title):
                image = self.save(
                    {"https://e.example/a": picture_at("")}, source_url="https://e.example/a", title=title
                )
                assert image.slug
                assert self.client.get(image.get_absolute_url()).status_code == 200
                assert self.client.get(reverse("images:image_list")).status_code == 200
                assert self.client.get(self.alice.get_absolute_url()).status_code == 200

    def test_same_picture_twice_is_noticed(self):
        content = picture_bytes("PNG")
        first = self.save({"https://e.example/a": picture_at("", content)}, source_url="https://e.example/a")

        again = self.save({"https://e.example/b": picture_at("", content)}, source_url="https://e.example/b")

        assert again.same_as == first
        self.assertContains(self.client.get(again.get_absolute_url()), first.get_absolute_url())

    def test_another_member_may_keep_the_same_picture(self):
        content = picture_bytes("PNG")
        self.save({"https://e.example/a": picture_at("", content)}, source_url="https://e.example/a")
        self.client.force_login(make_user("bob"))

        assert self.save({"https://e.example/a": picture_at("", content)}, source_url="https://e.example/a").is_ready

    def test_bookmarklet_fills_the_form(self):
        query = {"url": "https://e.example/a.jpg", "page": "https://e.example/", "title": "<b>Title</b>"}

        response = self.client.get(reverse("images:image_create"), query)

        self.assertContains(response, "https://e.example/a.jpg")
        self.assertContains(response, "&lt;b&gt;Title")

    def test_odd_page_of_origin_is_dropped(self):
        image = self.save(
            {"https://e.example/a": picture_at("")}, source_url="https://e.example/a", page_url="javascript:alert(1)"
        )

        assert image.page_url == ""
        self.assertNotContains(self.client.get(image.get_absolute_url()), "javascript:")

    def test_nothing_or_both_is_told(self):
        self.save()
        assert self.response.status_code == 422

    def test_unproven_member_is_asked_to_confirm_first(self):
        self.client.force_login(make_user("new", proven=False))

        self.save(source_url="https://e.example/a")

        assert not Image.objects.exists()
        self.assertRedirects(self.response, reverse("account:dashboard"))

    def test_owner_and_state_cannot_be_chosen(self):
        bob = make_user("bob")

        image = self.save(
            {}, source_url="https://e.example/a", owner=bob.pk, status="ready", total_likes=99, file="../../etc/passwd"
        )

        assert (image.owner, image.status, image.total_likes, image.file.name) == (self.alice, "failed", 0, "")

    def test_eleventh_picture_in_a_minute_waits(self):
        for _ in range(10):
            self.save()
        self.save()

        assert self.response.status_code == 429

    def test_failed_fetch_can_be_tried_again(self):
        image = self.save({}, source_url="https://e.example/a")

        with (
            patch.object(download, "fetch", FakeWeb({"https://e.example/a": picture_at("")})),
            self.captureOnCommitCallbacks(execute=True),
        ):
            self.client.post(reverse("images:image_fetch", args=[image.pk]))

        image.refresh_from_db()
        assert image.is_ready


class UploadTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")

    def setUp(self):
        self.client.force_login(self.alice)

    def upload(self, content: bytes, name: str = "a.png", **data):
        file = SimpleUploadedFile(name, content, "text/html")
        return self.client.post(reverse("images:image_create"), {"upload": file, **data})

    def test_upload_is_there_at_once(self):
        response = self.upload(picture_bytes("PNG", (80, 60)), "my_holiday-1.png")

        image = Image.objects.get()
        self.assertRedirects(response, image.get_absolute_url())
        assert (image.status, image.title, image.width) == (Image.Status.READY, "my holiday 1", 80)

    def test_hostile_names_are_never_used(self):
        names = [
            "../../x.png",
            "a.php.jpg",
            "x.jpg%00.html",
            "CON.png",
            "x" * 200,
            ".htaccess",
            "💥.png",
            "\u202egpj.exe",
        ]
        for name in names:
            with self.subTest(name):
                assert self.upload(picture_bytes("PNG"), name).status_code == 302
                stored = Image.objects.first().file.name
                assert stored.startswith("images/")
                assert stored.endswith(".png")
                assert len(stored) < 60

    def test_what_is_no_picture_comes_back_as_a_field_error(self):
        for content in [b"<html>", b"x", b"%PDF-1.7"]:
            assert self.upload(content).status_code == 422
        assert not Image.objects.exists()

    def test_same_upload_twice_names_the_first(self):
        content = picture_bytes("PNG")
        self.upload(content)

        response = self.upload(content)

        self.assertContains(response, Image.objects.get().get_absolute_url(), status_code=422)


class SweepTests(TestCase):
    def waiting(self, **fields) -> Image:
        image = make_image(status=Image.Status.FETCHING, source_url="https://e.example/a", file="", **fields)
        Image.objects.filter(pk=image.pk).update(created_at=timezone.now() - timedelta(minutes=5))
        return image

    def sweep(self) -> FakeWeb:
        web = FakeWeb({"https://e.example/a": picture_at("")})
        with patch.object(download, "fetch", web), self.captureOnCommitCallbacks(execute=True):
            sweep_fetches()
        return web

    def test_forgotten_picture_is_fetched(self):
        image = self.waiting()

        self.sweep()

        image.refresh_from_db()
        assert image.is_ready

    def test_picture_being_fetched_is_left_alone_until_its_lease_ends(self):
        image = self.waiting(lease_until=timezone.now() + timedelta(seconds=30))
        assert self.sweep().asked == []

        Image.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        self.sweep()

        image.refresh_from_db()
        assert image.is_ready

    def test_what_kills_every_process_is_given_up_after_three_tries(self):
        image = self.waiting(attempts=3)

        assert self.sweep().asked == []
        image.refresh_from_db()
        assert image.status == Image.Status.FAILED

    def test_second_call_does_nothing(self):
        image = self.waiting()
        self.sweep()

        assert download.claim(image.pk) is None

    def test_picture_deleted_while_being_fetched_leaves_no_file(self):
        image = self.waiting()
        claimed = download.claim(image.pk)
        Image.objects.all().delete()

        with self.captureOnCommitCallbacks(execute=True), patch("images.models.store_picture", wraps=_store) as store:
            assert not claimed.keep(make_picture())

        assert store.called
        assert not default_storage.exists(_stored[-1])


_stored: list[str] = []


def _store(*args):
    from content.pictures import store_picture

    stored = store_picture(*args)
    _stored.append(stored.name)
    return stored


@pytest.mark.django_db(transaction=True)
def test_real_fetch_from_a_server_end_to_end(client, settings):
    """Through sockets: page, redirect, picture; and a server that redirects to a secret gets nothing."""
    sink = Sink()
    settings.FETCH_TEST_ORIGINS = [f"127.0.0.1:{sink.port}"]
    base = f"http://127.0.0.1:{sink.port}"
    sink.answers["/page"] = redirect("/real")
    sink.answers["/real"] = http_answer(b'<meta property="og:image" content="/p.webp">', Content_Type="text/html")
    sink.answers["/p.webp"] = http_answer(picture_bytes("WEBP", (50, 40)), Content_Type="text/plain")
    sink.answers["/evil.jpg"] = redirect("http://127.0.0.2/secret")
    client.force_login(make_user("alice"))

    client.post(reverse("images:image_create"), {"source_url": f"{base}/page"})
    client.post(reverse("images:image_create"), {"source_url": f"{base}/evil.jpg"})
    sink.close()

    evil, image = Image.objects.all()
    assert (image.status, image.width, image.height) == (Image.Status.READY, 50, 40)
    assert evil.status == Image.Status.FAILED
