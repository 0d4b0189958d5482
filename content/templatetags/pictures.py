"""`{% picture file "tile" alt=… %}`: an <img> with size and srcset, without a query and without touching the disk."""

from typing import Any

from django import template
from django.core.files.storage import default_storage
from django.utils.html import format_html
from django.utils.safestring import SafeString

from content.pictures import thumbnail_name, thumbnail_size
from core.web.links import site_url

register = template.Library()

# Name in the template -> the aliases offered to the browser, and how wide the picture usually stands.
SETS = {
    "tile": (["tile", "tile_2x"], "(min-width: 60rem) 20rem, (min-width: 30rem) 33vw, 50vw"),
    "wide": (["wide_small", "wide"], "(min-width: 60rem) 50rem, 100vw"),
    "face": (["face", "face_2x"], "3rem"),
}


@register.simple_tag
def picture(
    file: Any,
    kind: str,
    *,
    alt: str = "",
    width: int | None = None,
    height: int | None = None,
    css: str = "",
    eager: bool = False,
) -> str:
    """
    Show a PictureField's file, or a stored name together with its width and height.

    `kind` is "tile" (square), "wide" (whole picture) or "face" (small square). Nothing is shown without a file.
    """
    if not file:
        return ""
    if not isinstance(file, str):
        width, height = width or file.width, height or file.height
    return _image(str(getattr(file, "name", file)), kind, int(width or 1), int(height or 1), alt, css, eager=eager)


def _image(name: str, kind: str, width: int, height: int, alt: str, css: str, *, eager: bool) -> SafeString:
    offered, sizes = SETS[kind]
    cuts = {thumbnail_size(width, height, alias): thumbnail_url(name, alias) for alias in reversed(offered)}
    smallest = min(cuts)
    srcset = ", ".join(f"{url} {size[0]}w" for size, url in sorted(cuts.items()))
    return format_html(
        '<img src="{}" srcset="{}" sizes="{}" width="{}" height="{}" alt="{}" class="{}" {} decoding="async">',
        cuts[smallest],
        srcset,
        sizes,
        *smallest,
        alt,
        css or f"picture-{kind}",
        SafeString('fetchpriority="high"' if eager else 'loading="lazy"'),
    )


def thumbnail_url(name: str, alias: str) -> str:
    return default_storage.url(thumbnail_name(name, alias))


@register.filter
def full_address(path: str) -> str:
    """Name a picture to other sites, wherever it is stored."""
    return path if "://" in path else site_url(path)


@register.simple_tag
def picture_url(file: Any, alias: str) -> str:
    """Return the address of one thumbnail, for feeds, og:image and mails."""
    return thumbnail_url(str(getattr(file, "name", file)), alias) if file else ""
