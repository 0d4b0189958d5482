"""All parts of the site's style come to the browser as one file."""

import os
import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import SimpleTestCase

from config.staticfiles import PARTS, SHEET, SOURCE, SheetFinder, lean


class OneStyleSheet(SimpleTestCase):
    def test_it_holds_every_part_in_order(self):
        sheet = Path(finders.find(SHEET)).read_text()

        places = [sheet.index(lean((SOURCE / f"{part}.css").read_text())) for part in PARTS]
        assert places == sorted(places)

    def test_it_is_made_again_when_a_part_has_changed(self):
        made = Path(finders.find(SHEET))
        made.write_text("old")
        newest = max((SOURCE / f"{part}.css").stat().st_mtime for part in PARTS)
        os.utime(made, (newest - 60, newest - 60))

        assert "--paper" in Path(finders.find(SHEET)).read_text()

    def test_collectstatic_gets_it(self):
        [(path, storage)] = SheetFinder().list([])

        assert storage.exists(path)

    def test_no_page_asks_for_a_part_of_it(self):
        pages = Path(settings.BASE_DIR, "templates").rglob("*.html")
        asked = {name for page in pages for name in re.findall(r"css/([a-z_]+)\.css", page.read_text())}

        assert asked & set(PARTS) == set()
