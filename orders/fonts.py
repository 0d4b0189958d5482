"""
Which letters this machine can print on an invoice, asked of Pango itself, which picks the fonts.

A letter that no font has is drawn as a box, silently; a name of boxes is no name. Asked where invoices are drawn and by
`manage.py check --deploy`, never while a page is made.
"""

import ctypes
import unicodedata
from functools import cache
from threading import Lock

FAMILY = b"DejaVu Sans, Liberation Sans, Noto Sans, sans-serif"  # as in static/css/invoice.css
# A letter of each script, to say beforehand which ones are covered.
SAMPLES = {
    "Latin": "aßŁőťğ",
    "Greek": "Ωέ",
    "Cyrillic": "Жїҗ",
    "Hebrew": "ש",
    "Arabic": "ع",
    "Chinese": "漢汉",
    "Japanese": "あカ",
    "Korean": "한",
    "Thai": "ก",
    "Devanagari": "क",
}


def missing(text: str) -> str:
    """Return the letters of the text that no font on this machine has, each once."""
    return "".join(letter for letter in sorted(set(text)) if not _is_invisible(letter) and not _has_glyph(letter))


def scripts_missing() -> list[str]:
    return [script for script, letters in SAMPLES.items() if missing(letters)]


def _is_invisible(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf", "Mn")


# Pango's layouts are not made for threads.
_one_at_a_time = Lock()


@cache
def _has_glyph(letter: str) -> bool:
    encoded = letter.encode("utf-8", "replace")
    with _one_at_a_time:
        pango, layout = _layout()
        pango.pango_layout_set_text(layout, encoded, len(encoded))
        return not pango.pango_layout_get_unknown_glyphs_count(layout)


@cache
def _layout() -> tuple[ctypes.CDLL, ctypes.c_void_p]:
    pango, ft2 = ctypes.CDLL("libpango-1.0.so.0"), ctypes.CDLL("libpangoft2-1.0.so.0")
    pointer = ctypes.c_void_p
    for library, name, takes in [
        (ft2, "pango_ft2_font_map_new", []),
        (pango, "pango_font_map_create_context", [pointer]),
        (pango, "pango_layout_new", [pointer]),
        (pango, "pango_font_description_from_string", [ctypes.c_char_p]),
    ]:
        getattr(library, name).argtypes, getattr(library, name).restype = takes, pointer
    pango.pango_layout_set_font_description.argtypes = [pointer, pointer]
    pango.pango_layout_set_text.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int]
    pango.pango_layout_get_unknown_glyphs_count.argtypes = [pointer]
    layout = pointer(pango.pango_layout_new(pango.pango_font_map_create_context(ft2.pango_ft2_font_map_new())))
    pango.pango_layout_set_font_description(layout, pango.pango_font_description_from_string(FAMILY))
    return pango, layout
