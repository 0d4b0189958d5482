"""Files that are sold: whether one is what its name says, as far as its first bytes tell."""

from typing import IO

# How a file begins, and where; a name with another ending may hold anything.
BEGINNINGS = {
    "pdf": (0, b"%PDF-"),
    "zip": (0, b"PK"),
    "epub": (0, b"PK"),
    "docx": (0, b"PK"),
    "xlsx": (0, b"PK"),
    "png": (0, b"\x89PNG"),
    "jpg": (0, b"\xff\xd8\xff"),
    "jpeg": (0, b"\xff\xd8\xff"),
    "gif": (0, b"GIF8"),
    "webp": (8, b"WEBP"),
    "mp4": (4, b"ftyp"),
    "m4a": (4, b"ftyp"),
    "flac": (0, b"fLaC"),
    "ogg": (0, b"OggS"),
    "wav": (8, b"WAVE"),
    "gz": (0, b"\x1f\x8b"),
    "7z": (0, b"7z\xbc\xaf"),
}


def is_what_it_says(name: str, file: IO[bytes]) -> bool:
    """Tell whether the file begins as others with this ending do."""
    at, beginning = BEGINNINGS.get(name.rpartition(".")[2].lower(), (0, b""))
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    return head[at:].startswith(beginning)
