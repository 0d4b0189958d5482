"""
Pictures that no row points at any more: a crash between writing the file and the row leaves one.

Only folders that nothing but picture fields write to are swept; "posts", for one, also holds pictures that are named in
the text of a post and in no field.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.apps import apps
from django.core.files.storage import Storage, default_storage
from django.utils import timezone

from .pictures import PictureField, files_of

FOLDERS = ("images", "people")
OLD = timedelta(hours=24)  # a younger file may belong to a row that is being written


def kept_files() -> set[str]:
    """Return the names of all files in FOLDERS that rows point at, thumbnails included."""
    fields = [field for model in apps.get_models() for field in model._meta.local_fields]
    kept: set[str] = set()
    for field in fields:
        if isinstance(field, PictureField) and str(field.upload_to) in FOLDERS:
            names = field.model._base_manager.exclude(**{field.name: ""}).values_list(field.name, flat=True)
            for name in names.iterator(chunk_size=2000):
                kept.update(files_of(name))
    return kept


def walk(folder: str, storage: Storage = default_storage) -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for inner in folders:
        yield from walk(f"{folder}/{inner}", storage)


def delete_orphans() -> int:
    """Delete what is older than a day and belongs to nothing, and return how many files that were."""
    found = [name for folder in FOLDERS for name in walk(folder)]
    # The rows are read after the files: a picture stored meanwhile is not in `found`.
    kept, limit = kept_files(), timezone.now() - OLD
    gone = [name for name in found if name not in kept and default_storage.get_modified_time(name) < limit]
    for name in gone:
        default_storage.delete(name)
    return len(gone)
