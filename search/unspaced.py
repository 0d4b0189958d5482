"""
Scripts that put no space between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese.

Where a word ends cannot be seen there. So each letter is stored together with the one after it: "東京都" as "東京 京都 都", with
SEPARATOR for the spaces. Both databases index such pairs like words, and a searched word is a phrase of pairs, found
wherever it stands. What is shown is put together again.
"""

import re
import unicodedata

SEPARATOR = "\u2063"  # invisible, and no part of a word to either database


def _all(category: str, first: int, last: int) -> str:
    return "".join(c for c in map(chr, range(first, last)) if unicodedata.category(c)[0] == category)


_SOUTH_EAST = [(0x0E00, 0x0F00), (0x1000, 0x10A0), (0x1780, 0x1800)]  # Thai and Lao, Burmese, Khmer
_MARKS = "".join(_all("M", *block) for block in _SOUTH_EAST) + "\u3099\u309a"
_EAST = "々〇ぁ-ゖゝ-ゟァ-ヺー-ヿㇰ-ㇿ\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTERS = "".join(_all("L", *block) for block in _SOUTH_EAST) + _EAST
_LETTER = f"[{_LETTERS}][{_MARKS}]*"
_letter = re.compile(_LETTER)
_run = re.compile(f"(?:{_LETTER})+")
_seam = re.compile(rf"({_LETTER})(\ue001?){SEPARATOR}(\ue000?)\1")


def is_letter(word: str) -> bool:
    """Return whether this is a single letter, with its marks, of such a script."""
    return bool(_letter.fullmatch(word))


def paired(text: str) -> str:
    """Write each letter with the one after it, and each letter with its marks in one way."""
    if text.isascii():
        return text
    return _run.sub(_pairs, unicodedata.normalize("NFC", text.replace(SEPARATOR, "")))


def _pairs(run: re.Match[str]) -> str:
    letters = _letter.findall(run[0])
    pairs = map(str.__add__, letters, [*letters[1:], ""])
    return SEPARATOR.join(["", *pairs, ""])


def put_together(text: str) -> str:
    """Undo `paired`, also in a piece of a text, and where matches are marked (markers.py)."""
    return text if text.isascii() else _seam.sub(_joined, text).replace(SEPARATOR, "")


def _joined(seam: re.Match[str]) -> str:
    """Write the letter once; a match that ends and goes on here is one."""
    letter, end, begin = seam.groups()
    return letter if end and begin else f"{begin}{letter}{end}"
