"""Fetch what a member saved by address: the picture itself, or the picture that a page names as its own."""

import logging
from datetime import timedelta
from urllib.parse import urljoin

from django.db.models import F
from django.utils import timezone

from config.fetch import Fetched, FetchRefused, fetch
from config.pictures import Picture, PictureRefused, read_picture

from .models import Image
from .page import MAX_HTML, find_pictures

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than all the tries of one run together
MAX_ATTEMPTS = 3
MAX_CANDIDATES = 3


def download(image_id: int) -> None:
    """Fetch the picture of an image that waits for it; safe to call twice and in two processes at once."""
    image = claim(image_id)
    if image is None:
        return
    try:
        picture = get_picture(image.source_url, image.page_url)
    except (FetchRefused, PictureRefused) as error:
        logger.info("image %s was not fetched: %s", image_id, getattr(error, "reason", error))
        image.give_up()
        return
    if twin := image.twin(picture.digest):
        image.give_up(same_as=twin)
    else:
        image.keep(picture)


def claim(image_id: int) -> Image | None:
    """Take the work if nobody has it. A run that died gives it back when its lease ends, three times at most."""
    now = timezone.now()
    forgotten = Image.objects.forgotten().filter(pk=image_id)
    if not forgotten.filter(attempts__lt=MAX_ATTEMPTS).update(lease_until=now + LEASE, attempts=F("attempts") + 1):
        forgotten.filter(attempts__gte=MAX_ATTEMPTS).update(status=Image.Status.FAILED)
        return None
    return Image.objects.select_related("owner").get(pk=image_id)


def get_picture(url: str, page_url: str = "") -> Picture:
    """Return the picture at the address, or the one that the page there names; raise FetchRefused, PictureRefused."""
    fetched = fetch(url, referer=page_url)
    try:
        return read_picture(fetched.content)
    except PictureRefused:
        if fetched.content_type not in ("text/html", "application/xhtml+xml"):
            raise
    return _picture_of_page(fetched)


def _picture_of_page(page: Fetched) -> Picture:
    html = page.content[:MAX_HTML].decode("utf-8", "replace")
    for address in find_pictures(html, page.url)[:MAX_CANDIDATES]:
        try:
            return read_picture(fetch(urljoin(page.url, address), referer=page.url).content)
        except (FetchRefused, PictureRefused):
            continue
    raise PictureRefused
