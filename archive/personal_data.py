"""
What the site keeps about a member, for handing it over and for forgetting it.

Every app with rows that belong to a person says so in its personal_data.py. A test walks all models that point at the
user and fails for one that nobody has spoken for.
"""

import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from core.people import Member

IN_MEMORY = 20_000_000  # bytes; a larger ZIP goes through the disk


@dataclass(frozen=True)
class PersonalData:
    """
    Rows of one model that belong to a person.

    `erase` runs when the person leaves: delete, make nameless, or nothing where the law wants the row kept. `hide` runs
    when the account is switched off, for what queries alone do not hide: files.
    `without` are fields not handed over; `files` gives the names of stored files of a row.
    """

    model: type[models.Model]
    rows: Callable[[Member], models.QuerySet[Any]]
    erase: Callable[[Member], object]
    hide: Callable[[Member], object]
    without: tuple[str, ...] = ()
    files: Callable[[Any], Iterable[str]] = lambda row: ()


_registered: dict[str, PersonalData] = {}


def register(
    model: type[models.Model],
    rows: Callable[[Member], models.QuerySet[Any]],
    *,
    erase: Callable[[Member], object],
    hide: Callable[[Member], object] = lambda user: None,
    without: tuple[str, ...] = (),
    files: Callable[[Any], Iterable[str]] = lambda row: (),
) -> None:
    _registered[model._meta.label] = PersonalData(model, rows, erase, hide, without, files)


def spoken_for() -> set[str]:
    return set(_registered)


def erase(user: Member) -> None:
    """Let every app forget the person; inside the caller's transaction."""
    for personal_data in _registered.values():
        personal_data.erase(user)


def hide(user: Member) -> None:
    """Let every app take the person's files from where everybody could read them; inside the caller's transaction."""
    for personal_data in _registered.values():
        personal_data.hide(user)


def zip_of(user: Member) -> IO[bytes]:
    """Return a file with everything the site keeps about the person; the caller closes it."""
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    try:
        _write(user, file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _write(user: Member, out: IO[bytes]) -> None:
    """Write rows as JSON, and files."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for label, personal_data in sorted(_registered.items()):
            rows = [_plain(row, personal_data.without) for row in personal_data.rows(user)]
            if not rows:
                continue
            archive.writestr(f"{label}.json", json.dumps(rows, cls=_Encoder, indent=2, ensure_ascii=False))
            for row in personal_data.rows(user):
                _add_files(archive, personal_data.files(row))


class _Encoder(DjangoJSONEncoder):
    """Fields of other libraries have values that JSON does not know, such as a country; all have a text."""

    def default(self, value: Any) -> Any:
        try:
            return super().default(value)
        except TypeError:
            return str(value)


def _plain(row: models.Model, without: tuple[str, ...]) -> dict[str, Any]:
    fields = [field for field in row._meta.concrete_fields if field.name not in without]
    return {field.name: _value(field.value_from_object(row)) for field in fields}


def _value(value: Any) -> Any:
    return getattr(value, "name", value) if isinstance(value, models.fields.files.FieldFile) else value


def _add_files(archive: zipfile.ZipFile, names: Iterable[str]) -> None:
    for name in filter(None, names):
        if default_storage.exists(name):
            with default_storage.open(name) as file, archive.open(f"files/{name}", "w") as target:
                for chunk in file.chunks():
                    target.write(chunk)
