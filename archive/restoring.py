"""One file into the site. Nothing is touched before the whole archive has been read and found sound."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.apps.registry import Apps
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from tqdm import tqdm

from . import files, hooks, room, schema, tables
from .container import MEDIA, PRIVATE, TABLES, NotRestorable, Reader

# What `migrate` itself writes into a new database, and the sweeps of a site that has nothing to sweep.
WRITTEN_UNASKED = {"contenttypes.ContentType", "auth.Permission", "core.SweepRun"}


class NotEmpty(Exception):
    """Raised when the site holds something already that a restore would replace."""


def restore(source: Path, *, force: bool, quiet: bool) -> dict[str, Any]:
    """
    Replace everything with what the archive holds and return its manifest.

    The rows are one transaction, which ends when the files are in their places: a failure on the way leaves the rows
    that were there, and no row is ever seen before its file. Raises NotRestorable or NotEmpty before anything changed.
    """
    with Reader(source) as archive:
        version = schema.Version(archive.manifest["migrations"])
        if not force and (found := what_stands_here()):
            raise NotEmpty(found)
        _must_fit(archive)
        with _bar(archive, quiet=quiet, title="checking") as bar:
            archive.verify(bar.update)
        version.bring_tables_here()
        with _bar(archive, quiet=quiet, title="restoring") as bar, transaction.atomic():
            _load_rows(archive, version.models(), bar.update)
            _put_files(archive, bar.update)
        files.remove_others(set(archive.members))
    schema.bring_tables_up_to_date()
    cache.clear()  # with Redis that is also what was counted of the site before
    if archive.manifest["database"] != connection.vendor:
        hooks.come_from_another_engine()
    return archive.manifest


def _must_fit(archive: Reader) -> None:
    rows = sum(archive.size(name) for name in archive.names(TABLES))
    placed = files.places([*archive.names(MEDIA), *archive.names(PRIVATE)])
    if found := room.shortage(rows, ((storage, name, archive.size(member)) for member, storage, name in placed)):
        raise NotRestorable(f"There is no room for this archive: {found}.")


def what_stands_here() -> str:
    """Return what an empty site would not have, in words; nothing for a site that was just set up or not at all."""
    present = tables.present()
    for model in tables.models_in_archive(apps):
        is_ours = model._meta.db_table in present and model._meta.label not in WRITTEN_UNASKED
        if is_ours and model._base_manager.exists():
            return f"the table {model._meta.db_table} has rows"
    return next((f"there is a file {member}" for member, _, _ in files.all_members()), "")


def _bar(archive: Reader, *, quiet: bool, title: str) -> Any:
    total = sum(listed["size"] for listed in archive.members.values())
    return tqdm(total=total, desc=title, unit="B", unit_scale=True, disable=quiet or None)


def _put_files(archive: Reader, progress: Callable[[int], object]) -> None:
    for member in [*archive.names(MEDIA), *archive.names(PRIVATE)]:
        with archive.open(member) as content:
            files.put(member, content)
        progress(archive.members[member]["size"])


def _load(table: dict[str, Any], archive: Reader, registry: Apps) -> int:
    try:
        with archive.open(table["member"]) as lines:
            return tables.load(registry.get_model(table["model"]), table["columns"], lines)
    except (LookupError, TypeError, ValueError, RecursionError, ValidationError) as error:
        raise NotRestorable(f"{table['model']} in the archive has a row that makes no sense: {error!s:.200}") from error


def _load_rows(archive: Reader, registry: Apps, progress: Callable[[int], object]) -> None:
    emptied = tables.all_models(registry)
    tables.empty(emptied)
    for table in archive.manifest["tables"]:
        if table["model"] in tables.NOT_BACKED_UP or table["model"].partition(".")[0] in schema.GONE:
            continue
        loaded = _load(table, archive, registry)
        if loaded != table["rows"]:
            raise NotRestorable(f"{table['model']} should have {table['rows']} rows and has {loaded}.")
        progress(archive.members[table["member"]]["size"])
    tables.set_last_ids(emptied, archive.manifest["last_ids"])
    connection.check_constraints()
    ContentType.objects.clear_cache()
