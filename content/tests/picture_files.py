"""Picture files made in memory, good and bad, for tests of whatever takes pictures."""

import struct
import zlib
from io import BytesIO

from PIL import Image


def picture_bytes(kind: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **options) -> bytes:
    image = (
        Image.effect_noise(size, 60).convert(mode) if mode in ("L", "RGB", "RGBA", "CMYK") else Image.new(mode, size)
    )
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_header(width: int, height: int, *, body: bytes = b"", extra: bytes = b"") -> bytes:
    """Return a PNG that claims a size; without `body` it holds next to no pixels."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = _chunk(b"IDAT", body or zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + header + extra + pixels + _chunk(b"IEND", b"")


def png_of_pixels(width: int, height: int) -> bytes:
    """Return a valid black PNG that is tiny as a file and large as a picture."""
    squeeze = zlib.compressobj(9)
    row = b"\0" * (width + 1)
    body = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    return png_header(width, height, body=body)


def text_bomb_png() -> bytes:
    bomb = b"Comment\0\0" + zlib.compress(b"a" * 80_000_000, 9)
    return png_header(8, 8, extra=_chunk(b"zTXt", bomb), body=zlib.compress(b"\0" * 72))


def icc_bomb_png() -> bytes:
    bomb = b"icc\0\0" + zlib.compress(b"a" * 80_000_000, 9)
    return png_header(8, 8, extra=_chunk(b"iCCP", bomb), body=zlib.compress(b"\0" * 72))
