"""The site's files, wherever they are stored: on disk or in a bucket."""

from collections.abc import Iterable, Iterator
from typing import IO

from django.core.files import File
from django.core.files.storage import Storage, storages

from .container import MEDIA, PRIVATE

STORED = {MEDIA: "default", PRIVATE: "private"}


def names(storage: Storage, folder: str = "") -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    yield from (f"{prefix}{name}" for name in sorted(files) if name)
    for inner in sorted(folders):
        yield from names(storage, f"{prefix}{inner}")


def all_members() -> Iterator[tuple[str, Storage, str]]:
    """Yield (name in the archive, storage, name there) for every file of the site."""
    for folder, alias in STORED.items():
        storage = storages[alias]
        yield from ((f"{folder}{name}", storage, name) for name in names(storage))


def places(members: Iterable[str]) -> Iterator[tuple[str, Storage, str]]:
    """Yield (name in the archive, storage, name there) for these members."""
    yield from ((member, *_place(member)) for member in members)


def put(member: str, content: IO[bytes]) -> None:
    """Store the file under the name it had, in place of what may be there."""
    storage, name = _place(member)
    storage.delete(name)
    stored = storage.save(name, File(content, name=name))
    if stored != name:
        raise OSError(f"{member} was stored as {stored}")


def remove_others(kept: set[str]) -> int:
    """Delete the files of the site that stood here before."""
    others = [(storage, name) for member, storage, name in all_members() if member not in kept]
    for storage, name in others:
        storage.delete(name)
    return len(others)


def _place(member: str) -> tuple[Storage, str]:
    folder, _, name = member.partition("/")
    return storages[STORED[f"{folder}/"]], name
