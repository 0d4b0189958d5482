"""What pictures may be is said once, in content/pixels.py and PICTURE_MB; what cannot read it there says the same."""

import re

from django.conf import settings
from django.test import RequestFactory

from content import pictures, pixels
from core.serving import intake
from core.stores import media
from core.web import errors
from images.forms import ImageCreateForm

ACCEPTED = set(pixels.MEDIA_TYPES.values())


def test_a_browser_offers_what_is_taken():
    assert set(pictures.PictureFormField().widget.attrs["accept"].split(",")) == ACCEPTED


def test_the_bookmarklet_looks_for_what_is_taken():
    source = (settings.BASE_DIR / "images/bookmarklet.js").read_text()
    (kinds,) = re.findall(r"\^\(image\\/\(([a-z|]+)\)\)\?\$", source)

    assert {f"image/{kind}" for kind in kinds.split("|")} == ACCEPTED


def test_people_are_told_what_is_taken():
    for text in (str(pictures.REFUSED), str(ImageCreateForm.base_fields["upload"].help_text)):
        assert {f"image/{kind.lower()}" for kind in re.findall(r"\b(JPEG|PNG|WebP|GIF|AVIF)\b", text)} == ACCEPTED


def test_what_is_stored_is_handed_out_under_its_type():
    for kind, extension in pictures.EXTENSIONS.items():
        assert media.TYPES[extension] == pixels.MEDIA_TYPES[kind]


def test_every_format_has_a_limit_and_a_way_to_be_kept():
    assert set(pixels.MAX_PIXELS) == set(pixels.MEDIA_TYPES)
    # Of a GIF the first picture is kept, as PNG.
    assert set(pictures.EXTENSIONS) == set(pixels.MEDIA_TYPES) - {"GIF"}


def test_people_are_told_how_large_a_picture_may_be():
    said = [
        str(pictures.REFUSED),
        str(ImageCreateForm.base_fields["upload"].help_text),
        errors.answer(RequestFactory().get("/"), 413).content.decode(),
        (settings.BASE_DIR / "static/error/413.html").read_text(),
    ]

    assert [text for text in said if f" {settings.PICTURE_MB} MB" not in text] == []
    assert pictures.MAX_BYTES < intake.FILE  # core/serving/tests/test_nginx.py compares that one with nginx.conf
