from datetime import datetime

from django import template
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def ago(moment: datetime) -> str:
    """Say how long ago something was in the largest unit only: "2 weeks ago"."""
    return _("%(time)s ago") % {"time": timesince(moment, depth=1)}
