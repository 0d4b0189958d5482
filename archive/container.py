"""The file format: a ZIP whose last member, manifest.json, lists what else is in it, with size and SHA-256."""

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any, Self

from . import room

FORMAT = 1
MANIFEST = "manifest.json"
TABLES, MEDIA, PRIVATE = FOLDERS = ("database/", "media/", "private/")
PIECE = 1 << 20
SHAPE = {
    "made_at": str,
    "database": str,
    "migrations": [(str, str)],
    "members": {str: {"size": int, "sha256": str}},
    "tables": [{"model": str, "member": str, "columns": [str], "rows": int}],
    "last_ids": {str: int},
}


class NotRestorable(Exception):
    """Raised for an archive that is damaged, unsafe or does not fit; the message says what to do."""


class Writer:
    """Writes beside the target and takes its name at the end: a backup that was interrupted is never mistaken for one."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        # It holds addresses and password hashes: nobody but its owner may read it, not even while it grows.
        self._file = os.fdopen(os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", allowZip64=True)
        self._members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, pieces: Iterable[bytes], *, compress: bool) -> None:
        digest, size = sha256(), 0
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        info.external_attr = 0o600 << 16
        with self._zip.open(info, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        self._members[name] = {"size": size, "sha256": digest.hexdigest()}

    def finish(self, about: dict[str, Any]) -> None:
        manifest = {"format": FORMAT, **about, "members": self._members}
        self._zip.writestr(MANIFEST, json.dumps(manifest, indent=1), compress_type=zipfile.ZIP_DEFLATED)
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind:
            with suppress(Exception):  # the first error is the one to tell; a full disk gives a second one here
                self._zip.close()
            self._file.close()
            self._part.unlink(missing_ok=True)


class Reader:
    """An archive that was opened, whose manifest makes sense and whose members are those of the manifest."""

    def __init__(self, source: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(source)
            self._refuse_bombs(source)
            self.manifest: dict[str, Any] = json.loads(self._zip.read(MANIFEST))
            self.members: dict[str, dict[str, Any]] = self.manifest["members"]
        except FileNotFoundError:
            raise NotRestorable(f"There is no file {source}.") from None
        except (OSError, LookupError, TypeError, ValueError, RecursionError, zipfile.BadZipFile, zlib.error) as error:
            raise NotRestorable(f"{source} is not a backup of this site, or it was cut short: {error}.") from error
        if self.manifest.get("format") != FORMAT:
            raise NotRestorable(f"{source} has format {self.manifest.get('format')}; this version reads {FORMAT}.")
        if not has_shape(self.manifest, SHAPE):
            raise NotRestorable(f"{source} has a manifest that `backup` did not write.")
        self._refuse_strange_members()

    def _refuse_bombs(self, source: Path) -> None:
        infos = self._zip.infolist()
        if found := room.suspicion(infos, packed=source.stat().st_size, listed_in=MANIFEST):
            raise NotRestorable(f"{source} {found}: do not trust it.")

    def _refuse_strange_members(self) -> None:
        names = [info.filename for info in self._zip.infolist() if info.filename != MANIFEST]
        if unsafe := [name for name in {*names, *self.members} if not is_safe(name)]:
            raise NotRestorable(
                f"The archive names a file outside the site's folders, {min(unsafe)!r}: do not trust it."
            )
        if len(names) != len(set(names)) or set(names) != set(self.members):
            raise NotRestorable("The archive does not hold what its manifest lists: it was altered or cut short.")

    def names(self, folder: str) -> list[str]:
        return [name for name in self.members if name.startswith(folder)]

    def size(self, name: str) -> int:
        """Return how many bytes opening the member can give at most."""
        return self._zip.getinfo(name).file_size

    def open(self, name: str) -> IO[bytes]:
        return self._zip.open(name)

    def verify(self, progress: Callable[[int], object]) -> None:
        """Read everything once and compare it with the manifest, before anything on the site is touched."""
        for name, listed in self.members.items():
            digest, size = sha256(), 0
            try:
                for piece in pieces_of(self.open(name)):
                    digest.update(piece)
                    size += len(piece)
                    progress(len(piece))
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
                raise NotRestorable(f"{name} in the archive is damaged: {error}.") from error
            if (size, digest.hexdigest()) != (listed["size"], listed["sha256"]):
                raise NotRestorable(f"{name} in the archive is not what was backed up: its checksum differs.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()


def has_shape(value: Any, shape: Any) -> bool:
    """Tell whether a value out of JSON is made as `shape`: a type, [of each], (of the 1st, 2nd …), {name: of it}, {str: of each}."""
    if isinstance(shape, type):
        return isinstance(value, shape)
    if isinstance(shape, tuple):
        return isinstance(value, list) and len(value) == len(shape) and all(map(has_shape, value, shape))
    if isinstance(shape, list):
        return isinstance(value, list) and all(has_shape(each, shape[0]) for each in value)
    if not isinstance(value, dict):
        return False
    if str in shape:
        return all(has_shape(each, shape[str]) for each in value.values())
    return all(name in value and has_shape(value[name], inner) for name, inner in shape.items())


def is_safe(name: str) -> bool:
    """Tell whether the name stays inside one of the archive's folders."""
    path = PurePosixPath(name)
    return str(path) == name and ".." not in path.parts and name.startswith(FOLDERS) and "\0" not in name


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece
