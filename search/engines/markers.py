"""
Where a match begins and ends, between the engine that knows it and the page that shows it.

The engines put two characters of Unicode's private use area into plain text; they become <mark> after the text has
been escaped, so no text can become HTML.
"""

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

BEGIN, END = "\ue000", "\ue001"


def removed(text: str) -> str:
    """Return the text without the two characters, and without NUL, which PostgreSQL cannot store."""
    return text.replace(BEGIN, "").replace(END, "").replace("\0", "")


def to_html(text: str) -> SafeString:
    return mark_safe(escape(text).replace(BEGIN, "<mark>").replace(END, "</mark>"))  # noqa: S308
