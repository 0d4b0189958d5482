import os
import time

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import TestCase

from config.orphans import delete_orphans
from config.pictures import files_of
from images.tests.factories import make_image

YESTERDAY = time.time() - 25 * 3600


def aged(name: str) -> str:
    os.utime(default_storage.path(name), (YESTERDAY, YESTERDAY))
    return name


class OrphanTests(TestCase):
    def test_old_files_without_a_row_go_and_all_others_stay(self):
        image = make_image(stored=True)
        kept = [aged(name) for name in files_of(image.file.name)]
        young = default_storage.save("images/zz/young.jpg", ContentFile(b"x"))
        elsewhere = aged(default_storage.save("posts/zz/in-a-text.jpg", ContentFile(b"x")))
        orphan = aged(default_storage.save("images/zz/orphan.jpg", ContentFile(b"x")))

        delete_orphans()

        assert not default_storage.exists(orphan)
        assert all(default_storage.exists(name) for name in [*kept, young, elsewhere])
