from django import template
from django.utils.html import format_html

from account.models import User
from content.templatetags.pictures import picture

register = template.Library()


@register.simple_tag
def face(person: User, *, alt: str = "") -> str:
    """Show the person's photo, or their initial; `alt` stays empty where the name stands beside it."""
    if person.photo:
        return picture(person.photo, "face", alt=alt, css="face")
    initial = person.display_name[:1].upper()
    if not alt:
        return format_html('<span class="face initial" aria-hidden="true">{}</span>', initial)
    return format_html('<span class="face initial" role="img" aria-label="{}">{}</span>', alt, initial)
