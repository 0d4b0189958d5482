"""Fetch what a member saved by address: the picture itself, or the picture that a page names as its own."""

import logging
from urllib.parse import urljoin

from django.db.models import F

from content.fetch import FetchRefused, fetch
from content.pictures import Picture, PictureRefused, read_picture
from core.jobs.lease import Lease, lease_end

from .models import Image, slug_of
from .page import MAX_HTML, find_pictures, title_of_address, title_of_page

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
MAX_CANDIDATES = 3


def download(image_id: int) -> None:
    """Fetch the picture of an image that waits for it; safe to call twice and in two processes at once."""
    image = claim(image_id)
    if image is None:
        return
    try:
        with lease_of(image):
            picture, title = get_picture(image.source_url, image.page_url)
    except (FetchRefused, PictureRefused) as error:
        logger.info("image %s was not fetched: %s", image_id, getattr(error, "reason", error))
        image.give_up()
        return
    if twin := image.twin(picture.digest):
        image.give_up(same_as=twin)
        return
    if title and image.title == title_of_address(image.source_url):
        Image.objects.filter(pk=image.pk, title=image.title).update(title=title, slug=slug_of(title))
    image.keep(picture)


def claim(image_id: int) -> Image | None:
    """Take the work if nobody has it. A run that died gives it back when its lease ends, three times at most."""
    forgotten = Image.objects.forgotten().filter(pk=image_id)
    if not forgotten.filter(attempts__lt=MAX_ATTEMPTS).update(lease_until=lease_end(), attempts=F("attempts") + 1):
        forgotten.filter(attempts__gte=MAX_ATTEMPTS).update(status=Image.Status.FAILED)
        return None
    return Image.objects.select_related("owner").get(pk=image_id)


def lease_of(image: Image) -> Lease:
    return Lease(Image.objects.filter(pk=image.pk, status=Image.Status.FETCHING), image.lease_until or lease_end())


def get_picture(url: str, page_url: str = "") -> tuple[Picture, str]:
    """
    Return the picture at the address, or the one that the page there names, with the page's title.

    Raise FetchRefused or PictureRefused.
    """
    fetched = fetch(url, referer=page_url)
    try:
        return read_picture(fetched.content), ""
    except PictureRefused:
        if fetched.content_type not in ("text/html", "application/xhtml+xml"):
            raise
    html = fetched.content[:MAX_HTML].decode("utf-8", "replace")
    return _picture_of_page(html, fetched.url), title_of_page(html)[:200]


def _picture_of_page(html: str, url: str) -> Picture:
    for address in find_pictures(html, url)[:MAX_CANDIDATES]:
        try:
            return read_picture(fetch(urljoin(url, address), referer=url).content)
        except (FetchRefused, PictureRefused):
            continue
    raise PictureRefused
