"""What a word is, for the index, for the vocabulary and for queries alike."""

import unicodedata
from collections.abc import Iterable

from .unspaced import is_letter

MAX_LENGTH = 30
# Left out of a query that has other words: they are in every text and in few titles.
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "from",
        "has",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "she",
        "so",
        "such",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "you",
        "your",
    ]
)


class _Separators(dict[int, str]):
    """For str.translate: what is no letter, number or mark becomes a space; each character is judged once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if unicodedata.category(character)[0] in "LNM" else " "
        return self[code]


_separators = _Separators()


def words(text: str) -> list[str]:
    """Split into runs of letters, digits and the marks that belong to them; everything else separates."""
    parts = text.translate(_separators).split()
    return parts if text.isascii() else [word for word in parts if unicodedata.category(word[0])[0] != "M"]


def fold(word: str) -> str:
    """Return the word without case and accents, as the vocabulary keeps it."""
    if word.isascii():
        return word.lower()
    if is_letter(word[:1]):
        return word  # a mark is no accent there: か is not が
    plain = unicodedata.normalize("NFKD", word.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


def vocabulary_of(texts: Iterable[str]) -> set[str]:
    """Return the folded words worth counting and correcting to: neither numbers nor the odd 40-letter string."""
    folded = {fold(word) for word in set(words(" ".join(texts)))}
    return {word for word in folded if len(word) <= MAX_LENGTH and not any(map(str.isdigit, word))}


def trigrams(word: str) -> set[str]:
    padded = f"  {word} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}


def distance(a: str, b: str) -> int:
    """Count the slips of the finger between two words: a letter wrong, missing, extra, or two swapped."""
    rows = [list(range(len(b) + 1))]
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
