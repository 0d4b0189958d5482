"""Dates as every list shows them. Django's `date` filter asks each time what the language's format is; here once."""

from datetime import date, datetime
from functools import lru_cache

from django import template
from django.utils.formats import date_format
from django.utils.translation import get_language

register = template.Library()


@register.filter
def day(value: date) -> str:
    """Say the day in words: what `date:"DATE_FORMAT"` says of a date."""
    return _day(value, get_language())


@lru_cache(maxsize=2000)
def _day(value: date, language: str | None) -> str:
    return date_format(value, "DATE_FORMAT")


@register.filter(expects_localtime=True)
def iso(value: datetime) -> str:
    """Say the moment to programs: what `date:"c"` says of a moment."""
    return value.isoformat()
