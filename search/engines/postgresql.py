"""
PostgreSQL: a stored tsvector with a GIN index (operations.py), asked by one call of `search_answer`.

The function and those it calls are in migrations/0005_bounded_search.py. The tsqueries are put together here, from our
own terms, by functions that take plain words.
"""

from typing import Any

from django.db import connections
from django.utils import timezone

from core.caching.routers import read_alias
from search.query import Query, Term
from search.unspaced import SEPARATOR

from . import FEW_HITS, PLACES, RANKED, Question, Row
from .markers import BEGIN, END

TITLE = f"StartSel={BEGIN}, StopSel={END}, HighlightAll=true"
SNIPPET = f"StartSel={BEGIN}, StopSel={END}, MaxWords=26, MinWords=14, ShortWord=0, MaxFragments=1"
WORDS = "phraseto_tsquery('atelier', %s)"
MARKS = ", ".join(["%s"] * 13)


def answer(question: Question) -> list[Row]:
    parameters: list[Any] = []
    asked = _terms(question.query, parameters)
    parameters.append(question.is_common)
    meant = _terms(question.corrected, parameters) if question.corrected else "NULL"
    parameters += [question.is_corrected_common, _sought(question.corrected or question.query)]
    parameters += [question.kind or None, timezone.now(), question.limit, *(question.after or (None, None, None))]
    parameters += [RANKED, FEW_HITS, list(PLACES), TITLE, SNIPPET]
    with connections[read_alias("search")].cursor() as cursor:
        cursor.execute(f"SELECT * FROM search_answer({asked}, %s, {meant}, {MARKS})", parameters)
        return [Row(*row) for row in cursor.fetchall()]


def _sought(query: Query) -> str:
    """Return the longest word, which is likely the rarest: long texts are shown from where it stands."""
    return max((term.single or SEPARATOR.join(term.words) for term in query.wanted), key=len)


def _terms(query: Query, parameters: list[Any]) -> str:
    """Return the SQL of an array of tsqueries; each word becomes a parameter."""
    wanted = [_term(term, parameters) for term in query.wanted]
    return f"ARRAY[{', '.join([*wanted, *(f'!!{_term(term, parameters)}' for term in query.unwanted)])}]"


def _term(term: Term, parameters: list[Any]) -> str:
    # Words hold letters, digits and marks only, so the quotes below cannot be left.
    begun = " <-> ".join([*(f"'{word}'" for word in term.words[:-1]), f"'{term.words[-1]}':*"])
    parameters += [begun if term.is_begun else " ".join(term.words), *term.also]
    first = "to_tsquery('atelier', %s)" if term.is_begun else WORDS
    return f"({' || '.join([first, *[WORDS] * len(term.also)])})"
