"""
Where a match begins and ends, between the engine that knows it and the page that shows it.

The engines put two characters of Unicode's private use area into plain text; they become <mark> after the text has
been escaped, so no text can become HTML.
"""

from html import escape

from django.utils.safestring import SafeString

from search.unspaced import put_together

BEGIN, END = "\ue000", "\ue001"


def removed(text: str) -> str:
    """Return the text without the two characters, and without NUL, which PostgreSQL cannot store."""
    return text.replace(BEGIN, "").replace(END, "").replace("\0", "")


def to_html(text: str) -> SafeString:
    # Not Django's escape and mark_safe: their look for lazy texts takes longer than they do, twice for each hit.
    return SafeString(escape(put_together(text)).replace(BEGIN, "<mark>").replace(END, "</mark>"))
