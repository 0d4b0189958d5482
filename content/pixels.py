"""
The bytes that somebody calls a picture, as plain pixels: what runs in a child of content/pictures.py, without Django.

Decoders are the part of us that strangers' bytes reach in C; whatever they find there has no secrets, no network
connection of the site's, and a gigabyte and a half.
"""

import json
import warnings
from io import BytesIO

from PIL import Image, ImageCms, ImageOps

# What is taken in, and its media type; tests/test_picture_formats.py holds the places that cannot read this one to it.
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
# A JPEG is as large as it looks and is decoded at a fraction of its size; a few KB of the others may unfold to
# anything.
MAX_PIXELS = {"JPEG": 40_000_000, "PNG": 20_000_000, "WEBP": 20_000_000, "GIF": 20_000_000}
MAX_SIDE = 12_000
# Larger pictures are scaled down: no screen shows more, and a phone's 40 megapixels would be ten times the bytes.
KEPT_SIDE = 4096
MAX_PROFILE = 3_000_000  # bytes; those of printers are large

# Also for code that opens pictures without coming through here: between one and two times the limit Pillow only warns.
Image.MAX_IMAGE_PIXELS = max(MAX_PIXELS.values())
warnings.simplefilter("error", Image.DecompressionBombWarning)


def work(data: bytes) -> bytes:
    """Return what `unpacked` reads, or nothing for what is no picture of an accepted kind and size."""
    try:
        kind = _checked_format(data)
        with Image.open(BytesIO(data), formats=list(MEDIA_TYPES)) as opened:
            # Lets a JPEG be decoded at a fraction of its size when we would shrink it anyway.
            opened.draft("RGB", (KEPT_SIDE, KEPT_SIDE))
            opened.load()
            image = _plain(_upright(opened))
    except Exception:  # Pillow raises nearly everything on damaged files: OSError, SyntaxError, struct.error …
        return b""
    image.thumbnail((KEPT_SIDE, KEPT_SIDE))
    return json.dumps([kind, image.mode, *image.size]).encode() + b"\n" + image.tobytes()


def unpacked(answer: bytes) -> tuple[str, Image.Image]:
    """Return the format to keep the picture in, and its pixels; raise ValueError for what no `work` of ours returns."""
    start = answer.index(b"\n")
    kind, mode, width, height = json.loads(answer[:start])
    if kind not in MEDIA_TYPES or mode not in ("RGB", "RGBA") or max(width, height) > KEPT_SIDE:
        raise ValueError("These are no pixels")
    return kind, Image.frombytes(mode, (width, height), memoryview(answer)[start + 1 :])


def _checked_format(data: bytes) -> str:
    """Judge by the header alone, before a pixel is decoded; check the checksums that a normal load skips (PNG)."""
    with Image.open(BytesIO(data), formats=list(MEDIA_TYPES)) as probe:
        width, height = probe.size
        kind = probe.format or ""
        if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE) or width * height > MAX_PIXELS[kind]:
            raise ValueError("too large")
        probe.verify()
    return "PNG" if kind == "GIF" else kind


def _upright(image: Image.Image) -> Image.Image:
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # damaged EXIF says nothing; the pixels may still be fine
        return image
    return image


def _plain(image: Image.Image) -> Image.Image:
    """Return the first frame as RGB or RGBA without any metadata."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # 16 bits a channel: convert() alone would clip instead of scale
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    has_alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    if profile and len(profile) <= MAX_PROFILE:
        image = _in_srgb(image, profile)
    plain = image.convert("RGBA" if has_alpha else "RGB")
    if has_alpha and plain.getchannel("A").getextrema()[0] == 255:
        plain = plain.convert("RGB")
    plain.info = {}
    return plain


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Translate the colours, so that a phone's Display P3 or a camera's Adobe RGB does not turn pale without its profile."""
    try:
        if image.mode in ("P", "PA"):
            image = image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
        alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
        colours = image.convert(image.mode.removesuffix("A")) if alpha else image
        source = ImageCms.getOpenProfile(BytesIO(profile))
        # Perceptual is what browsers use too; for the usual matrix profiles all intents are the same.
        translated = ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # a damaged profile, or one for other channels than the picture has: browsers ignore it too
    if alpha and translated:
        translated.putalpha(alpha)
    return translated or image
