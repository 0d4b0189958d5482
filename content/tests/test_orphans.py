import os
import time

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase

from account.tests.factories import make_user
from blog.models.history import Revision
from blog.tests.factories import make_post
from content.orphans import delete_orphans, folders
from content.pictures import files_of, store_picture
from content.tests.picture_files import picture_bytes
from images.tests.factories import make_image
from shop.tests.factories import make_picture, make_product

YESTERDAY = time.time() - 25 * 3600


def aged(name: str) -> str:
    os.utime(default_storage.path(name), (YESTERDAY, YESTERDAY))
    return name


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("x.png", picture_bytes("PNG"))


def stored(folder: str) -> list[str]:
    return [aged(name) for name in files_of(store_picture(picture_bytes("PNG"), folder).name)]


class OrphanTests(TestCase):
    def test_old_files_without_a_row_go_from_every_folder_and_young_ones_stay(self):
        orphans = [name for folder in folders() for name in stored(folder)]
        orphans.append(aged(default_storage.save("images/zz/half-written.jpg", ContentFile(b"x"))))
        young = default_storage.save("images/zz/young.jpg", ContentFile(b"x"))
        elsewhere = aged(default_storage.save("downloads/zz/manual.pdf", ContentFile(b"x")))

        assert {"images", "people", "posts", "products"} <= folders()
        assert delete_orphans() >= len(orphans)

        assert not any(default_storage.exists(name) for name in orphans)
        assert default_storage.exists(young)
        assert default_storage.exists(elsewhere)

    def test_whatever_a_field_holds_stays_with_its_thumbnails(self):
        held = [
            make_image(stored=True).file.name,
            make_user(photo=upload()).photo.name,
            make_post(cover=upload()).cover.name,
            make_picture(make_product()).file.name,
        ]
        kept = [aged(name) for first in held for name in files_of(first)]
        assert {name.partition("/")[0] for name in held} == folders()

        delete_orphans()

        assert all(default_storage.exists(name) for name in kept)

    def test_whatever_a_text_names_stays(self):
        """An imported post shows its pictures from its body; a revision may bring an earlier body back."""
        shown, earlier, loose, described = stored("posts"), stored("posts"), stored("posts"), stored("products")
        post = make_post(body=f"![Oak]({default_storage.url(shown[0])})")
        body = f"![Ash]({default_storage.url(earlier[0])})"
        Revision.objects.create(post=post, version=99, title="Before", body=body)
        make_product(description=f"![Table]({default_storage.url(described[0])})")

        delete_orphans()

        assert all(default_storage.exists(name) for name in (*shown, *earlier, *described))
        assert not any(default_storage.exists(name) for name in loose)
