import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from account.models import User
from core.web.links import site_url
from images.models import Image

register = template.Library()

SHOWN = 12


@register.inclusion_tag("images/_images_of.html")
def images_of(person: User) -> dict[str, object]:
    """Show the newest public pictures of a person, for the profile page."""
    return {"images": Image.objects.public().of(person.pk)[:SHOWN], "person": person}


@register.inclusion_tag("images/_my_images.html", takes_context=True)
def my_images(context: template.Context) -> dict[str, object]:
    """Show the reader's own newest pictures, also private and unfinished ones, for the dashboard."""
    shown = Image.objects.of(context["user"].pk).only("title", "slug", "status", "file", "width", "height")
    return {"images": shown[:SHOWN], "user": context["user"]}


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
