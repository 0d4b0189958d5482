"""What pictures may be is said once, in content/pixels.py; what cannot read it there says the same."""

import re

from django.conf import settings

from content import pictures, pixels
from core.stores import media
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
