from itertools import count
from typing import Any

from account.tests.factories import make_user
from content.pictures import Picture, read_picture
from content.tests.picture_files import picture_bytes
from images.models import Image

_numbers = count(1)


def make_picture(size: tuple[int, int] = (64, 48), kind: str = "PNG") -> Picture:
    """Decode a picture of noise: each call gives other pixels."""
    return read_picture(picture_bytes(kind, size))


def make_image(*, owner: Any = None, stored: bool = False, **fields: Any) -> Image:
    """Create a ready image; `stored` also writes its files, which most tests do not need."""
    number = next(_numbers)
    owner = owner or make_user()
    fields.setdefault("title", f"Picture {number}")
    if stored:
        image = Image.objects.create(owner=owner, **fields)
        image.keep(make_picture())
        return image
    ready = {"status": Image.Status.READY, "file": f"images/none/{number}.jpg", "width": 900, "height": 600}
    return Image.objects.create(owner=owner, **{**ready, **fields})
