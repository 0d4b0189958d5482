"""The site into one file, while it runs."""

import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import django
from django.apps import apps
from django.core.files.storage import Storage
from django.db import connections
from django.utils import timezone
from tqdm import tqdm

from . import files, schema, tables
from .container import TABLES, NotRestorable, Writer


class Made(NamedTuple):
    rows: int
    files: int
    gone: int  # deleted by somebody while the backup ran


def make(target: Path, *, quiet: bool) -> Made:
    """
    Write the archive: first every row as of one moment, then the files.

    A file is always older than the row that names it, so every row finds its file; only one that somebody deletes in
    these minutes is missing, as it is on the site. Raises NotRestorable when tables and code do not fit each other.
    """
    schema.must_be_current()
    if not target.parent.is_dir():
        raise NotRestorable(f"There is no folder {target.parent}.")
    with Writer(target) as writer:
        with tables.snapshot() as using:
            about = _rows_into(writer, using, quiet=quiet)
        stored, gone = _files_into(writer, quiet=quiet)
        writer.finish(about)
    return Made(sum(table["rows"] for table in about["tables"]), stored, gone)


def _rows_into(writer: Writer, using: str, *, quiet: bool) -> dict[str, Any]:
    models = tables.models_in_archive(apps)
    total = sum(model._base_manager.using(using).count() for model in models)
    listed = []
    with tqdm(total=total, unit=" rows", disable=quiet or None) as bar:
        for model in models:
            counted = Counted(bar.update)
            member = f"{TABLES}{model._meta.label}.jsonl"
            writer.add(member, tables.lines_of(model, using, counted), compress=True)
            columns = [field.attname for field in tables.columns_of(model)]
            listed.append({"model": model._meta.label, "member": member, "columns": columns, "rows": counted.total})
    return {
        "made_at": timezone.now().isoformat(),
        "made_with": {"django": django.get_version(), "python": platform.python_version()},
        "database": connections[using].vendor,
        "migrations": schema.applied(using),
        "tables": listed,
        "last_ids": tables.last_ids(models, using),
    }


class Counted:
    def __init__(self, tell: Callable[[int], object]) -> None:
        self._tell, self.total = tell, 0

    def __call__(self, number: int) -> None:
        self.total += number
        self._tell(number)


def _files_into(writer: Writer, *, quiet: bool) -> tuple[int, int]:
    stored = gone = 0
    for member, storage, name in tqdm(files.all_members(), unit=" files", disable=quiet or None):
        pieces = _first_piece_read(storage, name)
        if pieces is None:
            gone += 1
            continue
        writer.add(member, pieces, compress=False)  # pictures and PDFs are compressed already
        stored += 1
    return stored, gone


def _first_piece_read(storage: Storage, name: str) -> Iterator[bytes] | None:
    """Return the file's content, or None if it was deleted since it was listed."""
    try:
        file = storage.open(name)
    except FileNotFoundError:
        return None

    def pieces() -> Iterator[bytes]:
        with file:
            yield from file.chunks()

    return pieces()
