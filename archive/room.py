"""
Whether an archive is what it claims to be in size, and fits here: judged by its list, before anything is unpacked.

A few megabytes can unfold to a disk full of zeros. What a ZIP file declares is a bound: Python reads no more of a
member.
"""

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from django.core.files.storage import FileSystemStorage, Storage
from django.db import connection
from django.template.defaultfilters import filesizeformat

MAX_RATIO = 200  # rows of real sites are packed to a tenth; deflate reaches 1,000 with nothing but repetition
SMALL = 10_000_000  # bytes, which harm nobody whatever they unpack from
PER_MEMBER = 1000  # bytes of the list for each member: a path and a checksum
PACKED_BY = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def suspicion(infos: list[zipfile.ZipInfo], *, packed: int, listed_in: str) -> str:
    """Return what a ZIP file of `packed` bytes declares that no backup does; nothing for an honest one."""
    squeezed = [info for info in infos if info.compress_type != zipfile.ZIP_STORED]
    unpacked = sum(info.file_size for info in squeezed)
    lists = sum(info.file_size for info in infos if info.filename == listed_in)
    if not PACKED_BY.issuperset(info.compress_type for info in infos):
        return "is packed in a way that `backup` does not use"
    if sum(info.compress_size for info in infos) > packed:
        return "unpacks the same bytes twice"
    if (
        unpacked > MAX_RATIO * sum(info.compress_size for info in squeezed) + SMALL
        or lists > PER_MEMBER * len(infos) + SMALL
    ):
        return f"unpacks to {filesizeformat(unpacked)}, far more than rows and pictures do"
    return ""


def shortage(rows: int, files: Iterable[tuple[Storage, str, int]]) -> str:
    """Return which disk is too small for so many bytes of rows and for files of these sizes; nothing when none is."""
    wanted: dict[int, tuple[Path, int]] = {}
    for folder, size in _places(rows, files):
        disk = folder.stat().st_dev
        wanted[disk] = folder, size + wanted.get(disk, (folder, 0))[1]
    for folder, size in wanted.values():
        if size > (free := shutil.disk_usage(folder).free):
            return f"{filesizeformat(size)} have to go into {folder}, where {filesizeformat(free)} are free"
    return ""


def _places(rows: int, files: Iterable[tuple[Storage, str, int]]) -> Iterable[tuple[Path, int]]:
    """Yield folders of this machine that something goes into, and by how much that fills them."""
    if connection.vendor == "sqlite":
        yield _present(Path(str(connection.settings_dict["NAME"]))), rows
    for storage, name, size in files:
        if isinstance(storage, FileSystemStorage):
            place = Path(storage.path(name))
            yield _present(place), size - (place.stat().st_size if place.is_file() else 0)


def _present(path: Path) -> Path:
    return next(folder for folder in path.parents if folder.is_dir())
