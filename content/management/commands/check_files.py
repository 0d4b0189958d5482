from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

import requests
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.core.management.base import BaseCommand, CommandError
from django.utils.crypto import get_random_string

from core.stores import buckets

CONTENT = b"written by manage.py check_files"
READABLE = 200


class Command(BaseCommand):
    help = (
        "Write a file to each place where files are kept, and see that strangers can read the media and nothing else."
    )

    def handle(self, **options: Any) -> None:
        try:
            self.check_both()
        except buckets.errors() as error:
            raise CommandError(str(error)) from error

    def check_both(self) -> None:
        with probe(storages["default"]) as name:
            self.stdout.write("Media can be written and read.")
            address = urljoin(settings.SITE_URL, storages["default"].url(name))
            if not strangers_read(address):
                raise CommandError(f"A browser cannot read {address}; is MEDIA_URL_BASE right, and the bucket public?")
            self.stdout.write("Browsers can read them.")
        with probe(storages["private"]) as name:
            self.stdout.write("Private files can be written and read.")
            for address in public_addresses(name):
                if strangers_read(address):
                    raise CommandError(f"Anybody can read private files, such as {address}. Close that bucket now.")
        self.stdout.write("Strangers cannot read those.")


@contextmanager
def probe(storage: Storage) -> Iterator[str]:
    name = storage.save(f"check/{get_random_string(20)}.txt", ContentFile(CONTENT))
    try:
        with storage.open(name) as file:
            if file.read() != CONTENT:
                raise CommandError(f"{name} came back as something else.")
        yield name
    finally:
        storage.delete(name)


def strangers_read(address: str) -> bool:
    try:
        answer = requests.get(address, timeout=10)
    except requests.RequestException:
        return False
    return answer.status_code == READABLE and answer.content == CONTENT


def public_addresses(name: str) -> list[str]:
    """Return where a private file would be seen if its place were open: beside the media, or unsigned in its bucket."""
    addresses = [urljoin(settings.SITE_URL, settings.MEDIA_URL) + name]
    if hasattr(storages["private"], "bucket_name"):
        addresses.append(storages["private"].url(name).partition("?")[0])
    return addresses
