"""Who has been logged out while typing loses nothing of it."""

from html.parser import HTMLParser

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase

from account.tests.factories import make_user
from images.tests.factories import make_image


class Hidden(HTMLParser):
    """Collects the hidden fields of a page."""

    def __init__(self, page):
        super().__init__()
        self.fields = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "input" and values.get("type") == "hidden":
            self.fields[values["name"]] = values["value"]


class SessionLost(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")
        cls.image = make_image(owner=cls.alice)

    def test_what_was_typed_is_sent_after_the_login(self):
        address = f"/images/{self.image.pk}/edit/"
        typed = {"title": 'Oak & "elm"', "description": "Two\nlines <b>", "alt": ""}
        page = self.client.post(address, typed)
        self.assertContains(page, "You have been logged out", status_code=403)
        self.assertContains(page, "/account/login/?next=", status_code=403)

        self.client.force_login(self.alice)
        kept = Hidden(page.content.decode()).fields
        assert kept == typed
        assert self.client.post(address, kept).status_code == 302

        self.image.refresh_from_db()
        assert (self.image.title, self.image.description.splitlines()) == ('Oak & "elm"', ["Two", "lines <b>"])

    def test_profile_and_new_picture_too_and_a_file_is_said_to_be_gone(self):
        for address in ("/account/edit/", "/images/create/"):
            upload = SimpleUploadedFile("x.png", b"x")
            page = self.client.post(address, {"title": "Oak", "bio": "I print.", "upload": upload})

            self.assertContains(page, "Only the file has to be chosen again", status_code=403)
            assert Hidden(page.content.decode()).fields == {"title": "Oak", "bio": "I print."}

    def test_a_button_without_text_leads_to_the_login_as_before(self):
        assert self.client.post(f"/images/{self.image.pk}/delete/").status_code == 302

    def test_a_login_is_never_kept(self):
        page = self.client.post("/admin/login/?next=/admin/", {"username": "alice", "password": "s3cret"}, follow=True)

        assert b"s3cret" not in page.content
