import re
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from django import template
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from account.models import User
from content.templatetags.pictures import picture
from core.caching.memory import cached
from core.templatetags.fragments import shown_each
from core.web.links import site_url
from images.models import Image
from images.paging import board_of
from images.tiles import Tile

register = template.Library()

SHOWN = 12
TILE = """<li class="tile"><a href="{url}">{picture}<span class="caption"><span class="name">{title}</span>{likes}</span></a></li>"""


@register.simple_tag
def tiles(images: Iterable[Tile], *, eager: bool = False) -> SafeString:
    """Show the pictures of a board; `eager` says that the first is in sight when the page opens."""
    return shown_each(images, _tile, eager=eager)


def _tile(image: Tile, *, eager: bool) -> SafeString:
    # Written here and not as a template, which takes five times as long.
    text, width, height = image.alternative_text, image.width, image.height
    return format_html(
        TILE,
        url=image.get_absolute_url(),
        picture=picture(image.file, "tile", alt=text, width=width, height=height, eager=eager),
        title=image.title,
        likes=_likes(image.total_likes) if image.total_likes else "",
    )


def _likes(number: int) -> SafeString:
    words = ' <span class="likes">{}<span class="visually-hidden"> {}</span></span>'
    return format_html(words, number_format(number, use_l10n=True), _("likes"))


@register.inclusion_tag("images/_images_of.html")
def images_of(person: User) -> dict[str, object]:
    """Show the newest public pictures of a person who is not switched off, for the profile page."""
    return {"images": board_of(person, AnonymousUser()).first_rows(0, SHOWN), "person": person}


@register.inclusion_tag("images/_my_images.html", takes_context=True)
def my_images(context: template.Context) -> dict[str, object]:
    """Show the reader's own newest pictures, also private and unfinished ones, for the dashboard."""
    owner = context["user"]
    return {"images": cached(("my pictures", owner.pk), partial(_newest_of, owner.pk)), "user": owner}


def _newest_of(owner: int) -> list[Image]:
    return list(Image.objects.of(owner).only("title", "slug", "status", "file", "width", "height")[:SHOWN])


@register.simple_tag
def bookmarklet() -> SafeString:
    """Show the link to drag to the bookmarks: all of its code is in it, so that it works on any page."""
    label = _("Save to %(site)s") % {"site": settings.SITE_NAME}
    address = bookmarklet_address(site_url(reverse("images:image_create")))
    return format_html('<a class="button quiet bookmarklet" href="{}">{}</a>', address, label)


@cache
def bookmarklet_address(create_url: str) -> str:
    source = (Path(__file__).parent.parent / "bookmarklet.js").read_text()
    code = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    code = " ".join(line.strip() for line in code.splitlines() if line.strip())
    quoted = create_url.replace("\\", "").replace("'", "")
    return "javascript:" + quote(
        code.replace("SITE +", f"'{quoted}' +"), safe="!*'();:@&=+$,/?[]{}<>|^~-._ ".replace(" ", "")
    )
