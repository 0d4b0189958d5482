"""
One question to the index, answered by the engine of the database at hand.

Both engines rank alike: by where each word stands (in the title, in the tags, in the text), the newest first among equals.
Ranking is bounded: of more than RANKED matches only the RANKED that were added last are ranked and can be paged through.
Reading every match of a common word is what makes full-text search slow, and nobody reads page 16.
"""

from importlib import import_module
from typing import NamedTuple

from django.db import connection
from django.utils.safestring import SafeString

from search import vocabulary
from search.models import Word
from search.query import Query, Term, parse
from search.unspaced import is_letter
from search.words import fold

from . import markers

RANKED = 300
# What a word is worth in the title, in the tags and elsewhere. The second in which a document appeared is added, which
# is less than any difference between these.
PLACES = (4e10, 2e10, 1e10)
FEW_HITS = 5  # below this many hits a word that no document uses is also searched as the word that was probably meant


class Hit(NamedTuple):
    """`title` and `snippet` are safe HTML with the matches in <mark>."""

    kind: str
    object_id: int
    url: str
    title: SafeString
    snippet: SafeString


class SearchPage(NamedTuple):
    """`total` is RANKED and `total_capped` true when there are more; `next` is the `after` of the next page."""

    hits: list[Hit]
    total: int
    total_capped: bool
    corrected: str | None
    next: str | None


class Question(NamedTuple):
    """What an engine is asked. `corrected` holds the same query with better words, for when there are few hits."""

    query: Query
    corrected: Query | None
    is_common: bool  # each word is in so many documents that it is sought among the newest first
    is_corrected_common: bool
    kind: str
    limit: int
    after: tuple[int, float, int] | None


class Row(NamedTuple):
    """
    What an engine answers for each hit.

    `total`, `corrected` (hits of the corrected query) and `is_last` (no page follows) are the same in all.
    """

    tier: int
    rank: float
    id: int
    kind: str
    object_id: int
    url: str
    title: str
    snippet: str
    total: int
    corrected: int
    is_last: bool


NOTHING = SearchPage([], 0, total_capped=False, corrected=None, next=None)


def search(
    text: str | Query,
    *,
    kind: str = "",
    limit: int = 20,
    after: str | None = None,
    is_typing: bool = False,
) -> SearchPage:
    """Answer any text in two statements; see query.py for what it may contain, `is_typing` for as-you-type."""
    query = text if isinstance(text, Query) else parse(text, is_typing=is_typing)
    if not query.wanted:
        return NOTHING
    known = vocabulary.look_up(query)
    corrected = query.corrected(known.better, known.joined) if known.better or known.joined else None
    question = Question(
        query.completed(known.completions, {word for word in known.completions if _is_usual(word, known)}),
        corrected,
        all(_is_common(term, known) for term in query.wanted),
        corrected is not None and all(_is_common(term, known) for term in corrected.wanted),
        kind,
        limit,
        _position(after),
    )
    rows = import_module(f"search.engines.{connection.vendor}").answer(question)
    return _page(rows, question)


def _is_usual(begun: str, known: vocabulary.Knowledge) -> bool:
    """Return whether the words that begin so are too many to be read: those of a single letter always are."""
    if len(begun) == 1 and not is_letter(begun):
        return True
    return sum(known.documents[word] for word in known.completions.get(begun, [])) >= Word.COUNTED


def _is_common(term: Term, known: vocabulary.Knowledge) -> bool:
    if term.is_begun and term.single:
        return _is_usual(term.single, known)
    return all(known.documents.get(fold(word), 0) >= Word.COUNTED for word in term.words)


def _page(rows: list[Row], question: Question) -> SearchPage:
    if not rows:
        return NOTHING
    total, was_corrected = rows[0].total, bool(rows[0].corrected and question.corrected)
    last = rows[-1]
    return SearchPage(
        [
            Hit(row.kind, row.object_id, row.url, markers.to_html(row.title), markers.to_html(row.snippet))
            for row in rows
        ],
        min(total, RANKED),
        total > RANKED,
        question.corrected.text if was_corrected and question.corrected else None,
        None if last.is_last else f"{last.tier}_{last.rank!r}_{last.id}",
    )


def _position(after: str | None) -> tuple[int, float, int] | None:
    """Read where a page begins; what is not one of our own marks begins at the beginning."""
    try:
        tier, rank, document_id = (after or "").split("_")
        return int(tier[:1]), float(rank[:40]), int(document_id[:18])
    except ValueError:
        return None
