import csv
import io
import zipfile

from django.test import TestCase
from django.urls import reverse

from account.tests.factories import make_user
from images.tests.factories import make_image


class ExportTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.alice = make_user("alice")
        cls.mine = make_image(owner=cls.alice, stored=True, title='=HYPERLINK("x")', alt="A boat")
        make_image(owner=cls.alice, title="Secret", is_private=True)
        make_image(title="Not mine")

    def setUp(self):
        self.client.force_login(self.alice)

    def get(self, kind: str) -> bytes:
        response = self.client.post(reverse("images:image_export", args=[kind]))
        return b"".join(response.streaming_content)

    def test_list_has_ones_own_pictures_and_is_safe_to_open(self):
        rows = list(csv.DictReader(io.StringIO(self.get("csv").decode("utf-8-sig"))))

        assert {row["title"] for row in rows} == {'\'=HYPERLINK("x")', "Secret"}

    def test_zip_has_the_list_and_the_files(self):
        archive = zipfile.ZipFile(io.BytesIO(self.get("zip")))

        name = f"{self.mine.pk}-{self.mine.slug}.png"
        assert sorted(archive.namelist()) == sorted(["pictures.csv", name])
        with self.mine.file.open() as file:
            assert archive.read(name) == file.read()

    def test_visitors_and_unknown_kinds_get_nothing(self):
        assert self.client.post(reverse("images:image_export", args=["exe"])).status_code == 404
        self.client.logout()
        assert self.client.post(reverse("images:image_export", args=["zip"])).status_code == 302

    def test_a_picture_on_a_page_of_others_starts_no_export(self):
        assert self.client.get(reverse("images:image_export", args=["zip"])).status_code == 405

    def test_eleventh_export_in_an_hour_waits(self):
        url = reverse("images:image_export", args=["csv"])

        assert [self.client.post(url).status_code for _ in range(11)] == [200] * 10 + [429]

    def test_dashboard_offers_both(self):
        page = self.client.get(reverse("account:dashboard"))

        for kind in ("csv", "zip"):
            self.assertContains(page, f'action="{reverse("images:image_export", args=[kind])}"')
