from urllib.parse import unquote

from django.test import TestCase
from django.urls import reverse
from django.utils.crypto import get_random_string

from account.tests.factories import PASSWORD, make_user
from images.models import Image
from images.templatetags.images_tags import bookmarklet_address

CREATE = "https://atelier.example/images/create/"


def test_link_holds_all_of_its_code_and_loads_nothing_from_us():
    address = bookmarklet_address(CREATE)
    code = unquote(address)

    assert address.startswith("javascript:")
    assert not set(address) & set(' "\n`')
    assert f"'{CREATE}'" in code
    assert "SITE" not in code
    assert "/*" not in code
    for loading in ["createElement", "appendChild", "import(", "fetch(", "XMLHttpRequest", "eval(", "innerHTML"]:
        assert loading not in code
    assert len(address) < 5000


class PickerTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")

    def setUp(self):
        self.client.force_login(self.alice)

    def test_finds_are_offered_as_a_choice(self):
        query = {"url": ["https://a.example/1.jpg", "https://a.example/2.jpg", "https://a.example/1.jpg"], "page": "x"}

        response = self.client.get(reverse("images:image_create"), query)

        self.assertContains(response, 'type="radio"', count=2)
        self.assertContains(response, '<img src="https://a.example/2.jpg" alt="Picture 2"')
        assert "img-src 'self' data: https: http:" in response["Content-Security-Policy"]

    def test_policy_stays_strict_where_nothing_is_offered(self):
        response = self.client.get(reverse("images:image_create"), {"url": "https://a.example/1.jpg"})

        assert "https:" not in response["Content-Security-Policy"].split("img-src")[1].split(";")[0]

    def test_hostile_finds_are_not_offered(self):
        hostile = ["javascript:alert(1)", "data:image/png;base64,AA", "//x", "https://x/" + "x" * 3000]
        hostile += ['https://x.example/"onerror=alert(1)', "http://user@x.example/", "ftp://x.example/"]

        response = self.client.get(reverse("images:image_create"), {"url": hostile})

        self.assertNotContains(response, 'type="radio"')
        self.assertNotContains(response, "<img src")

    def test_choice_survives_a_refused_form(self):
        candidates = ["https://a.example/1.jpg", "https://a.example/2.jpg"]
        data = {"candidate": candidates, "source_url": candidates[1], "title": "x" * 300}

        response = self.client.post(reverse("images:image_create"), data)

        self.assertContains(response, "checked", count=1, status_code=422)
        self.assertContains(response, 'type="radio"', count=2, status_code=422)

    def test_chosen_one_is_saved(self):
        candidates = ["https://a.invalid/1.jpg", "https://a.invalid/2.jpg"]

        self.client.post(reverse("images:image_create"), {"candidate": candidates, "source_url": candidates[1]})

        assert Image.objects.get().source_url == candidates[1]

    def test_finds_of_a_full_page_survive_logging_in(self):
        self.client.logout()
        found = {"url": [f"https://a.example/{'x' * 150}/{number}.jpg" for number in range(20)], "title": "Harbour"}
        response = self.client.get(reverse("images:image_create"), found)
        assert response.url == f"{reverse('login')}?next={reverse('images:image_create')}"

        login = {"username": "alice", "password": PASSWORD, "next": reverse("images:image_create")}
        picker = self.client.post(reverse("login"), login, follow=True)

        self.assertContains(picker, 'type="radio"', count=20)
        self.assertContains(picker, 'value="Harbour"')
        self.assertNotContains(self.client.get(reverse("images:image_create")), 'type="radio"')

    def test_finds_are_kept_by_the_browser_and_start_no_session(self):
        self.client.logout()
        self.client.get(reverse("images:image_create"), {"url": "https://a.example/" + "x" * 1600})

        assert "sessionid" not in self.client.cookies
        assert self.client.cookies["bookmarklet"]["path"] == reverse("images:image_create")

    def test_more_finds_than_a_cookie_holds_lose_the_last_ones(self):
        self.client.logout()
        found = {"title": "Harbour", "url": [f"https://a.example/{get_random_string(250)}.jpg" for _ in range(24)]}
        self.client.get(reverse("images:image_create"), found)
        assert len(self.client.cookies["bookmarklet"].OutputString()) < 4096

        self.client.force_login(self.alice)
        picker = self.client.get(reverse("images:image_create"))

        self.assertContains(picker, 'value="Harbour"')
        self.assertContains(picker, f'value="{found["url"][0]}"')
        self.assertContains(picker, f'value="{found["url"][5]}"')

    def test_a_cookie_that_is_not_ours_is_nothing_found(self):
        self.client.cookies["bookmarklet"] = "url=https://evil.example/1.jpg"

        self.assertNotContains(self.client.get(reverse("images:image_create")), "evil.example")

    def test_visitor_without_finds_is_sent_to_login_without_a_session(self):
        self.client.logout()

        response = self.client.get(reverse("images:image_create"), {"url": "https://a.example/1.jpg"})

        assert response.url.startswith(reverse("login"))
        assert not response.cookies

    def test_dashboard_has_the_button_to_drag(self):
        self.assertContains(self.client.get(reverse("account:dashboard")), 'href="javascript:')
