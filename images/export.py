"""A member's pictures to take along: a list for a spreadsheet, or the list with all files as a ZIP."""

import zipfile
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

from django.core.files.storage import default_storage

from core.staff.spreadsheets import Row, stream
from core.web.links import site_url

from .models import Image, ImageQuerySet

COLUMNS = [
    "title",
    "file",
    "alternative text",
    "description",
    "saved at",
    "likes",
    "private",
    "picture",
    "page",
    "here",
]
IN_MEMORY = 20_000_000  # bytes; a larger ZIP goes through the disk


def rows(images: ImageQuerySet) -> Iterator[Row]:
    for image in images.iterator(chunk_size=500):
        yield [
            *(image.title, file_name(image), image.alt, image.description, image.created_at, image.total_likes),
            *(int(image.is_private), image.source_url, image.page_url, site_url(image.get_absolute_url())),
        ]


def file_name(image: Image) -> str:
    return f"{image.pk}-{image.slug}.{str(image.file.name).rpartition('.')[2]}" if image.file else ""


def zip_of(images: ImageQuerySet) -> IO[bytes]:
    """Return a file with the list and every picture; the caller closes it."""
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    try:
        with zipfile.ZipFile(file, "w") as archive:  # pictures do not get smaller by compressing them again
            archive.writestr("pictures.csv", "".join(stream(COLUMNS, rows(images))))
            for image in images.ready().iterator(chunk_size=100):
                _add(archive, image)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _add(archive: zipfile.ZipFile, image: Image) -> None:
    name = str(image.file.name)
    if default_storage.exists(name):
        with default_storage.open(name) as source, archive.open(file_name(image), "w") as target:
            for chunk in source.chunks():
                target.write(chunk)
