"""`{% picture file "tile" alt=… %}`: an <img> with size and srcset, without a query and without touching the disk."""

import re
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils.safestring import SafeString

from content.pictures import thumbnail_name, thumbnail_size
from core.web.links import site_url

register = template.Library()

ROOT = "<"  # no address has one
PLAIN = re.compile(r"\w[\w/.-]*", re.ASCII).fullmatch  # is written in an address as it is

# Name in the template -> the aliases offered to the browser, and how wide the picture usually stands.
SETS = {
    "tile": (["tile", "tile_2x"], "min(50vw,20rem)"),
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
    address = escape(media_url(str(getattr(file, "name", file)).rpartition(".")[0]))
    css = f' class="{escape(css)}"' if css else ""
    first = 'fetchpriority="high"' if eager else 'loading="lazy"'
    looks = _looks(kind, int(width or 1), int(height or 1)).replace(ROOT, address)
    return SafeString(f'<img {looks} alt="{escape(alt)}"{css} {first}>')


@lru_cache(maxsize=1024)  # most pictures of a site have one of a few sizes
def _looks(kind: str, width: int, height: int) -> str:
    """Return the attributes that follow from a picture's size, with ROOT where its address begins."""
    offered, sizes = SETS[kind]
    cuts = {thumbnail_size(width, height, alias): thumbnail_name(f"{ROOT}.", alias) for alias in reversed(offered)}
    smallest = min(cuts)
    srcset = ", ".join(f"{url} {size[0]}w" for size, url in sorted(cuts.items()))
    shape = 'width="{}" height="{}"'.format(*smallest)
    return f'src="{cuts[smallest]}" srcset="{srcset}" sizes="{sizes}" {shape}'


def media_url(name: str) -> str:
    """Return what the storage's `url` returns, at a fifth of its price: the disk's and the bucket's begin alike."""
    return settings.MEDIA_URL + name if PLAIN(name) else str(default_storage.url(name))


def thumbnail_url(name: str, alias: str) -> str:
    return media_url(thumbnail_name(name, alias))


@register.filter
def full_address(path: str) -> str:
    """Name a picture to other sites, wherever it is stored."""
    return path if "://" in path else site_url(path)


@register.simple_tag
def picture_url(file: Any, alias: str) -> str:
    """Return the address of one thumbnail, for feeds, og:image and mails."""
    return thumbnail_url(str(getattr(file, "name", file)), alias) if file else ""
