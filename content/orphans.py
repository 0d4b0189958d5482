"""
Pictures that nothing points at any more: a crash between writing the file and the row leaves one.

Every folder that a picture field writes to is swept. A file stays when a field holds its name, when it is a thumbnail
of one that stays, or when any text of the site names it: an imported post shows its pictures from its body, and a
revision may bring that body back.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.files.storage import Storage, default_storage
from django.db.models import Field, Model, Q, TextField
from django.utils import timezone

from .pictures import PictureField, stem

OLD = timedelta(hours=24)  # a younger file may belong to a row that is being written


def fields_of(kind: "type[Field[Any, Any]]") -> "Iterator[tuple[type[Model], Field[Any, Any]]]":
    for model in apps.get_models():
        yield from ((model, field) for field in model._meta.local_concrete_fields if isinstance(field, kind))


def folders() -> set[str]:
    return {str(field.upload_to).strip("/") for _model, field in fields_of(PictureField)}  # type: ignore[attr-defined]


def kept_stems(swept: Iterable[str]) -> set[str]:
    kept: set[str] = set()
    for model, field in fields_of(PictureField):
        names = model._base_manager.exclude(**{field.name: ""}).values_list(field.name, flat=True)
        kept.update(stem(name) for name in names.iterator(chunk_size=2000) if name)
    named = re.compile(rf"\b(?:{'|'.join(map(re.escape, swept))})/[\w-]+/[\w-]+")
    for model, field in fields_of(TextField):
        mentions = Q(*(Q((f"{field.name}__contains", f"{folder}/")) for folder in swept), _connector=Q.OR)
        texts = model._base_manager.filter(mentions).values_list(field.name, flat=True)
        for text in texts.iterator(chunk_size=200):
            kept.update(named.findall(text))
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
    swept = sorted(folders())
    found = [name for folder in swept for name in walk(folder)]
    # The rows are read after the files: a picture stored meanwhile is not in `found`.
    kept, limit = kept_stems(swept), timezone.now() - OLD
    gone = [name for name in found if stem(name) not in kept and default_storage.get_modified_time(name) < limit]
    for name in gone:
        default_storage.delete(name)
    return len(gone)
