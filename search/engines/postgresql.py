"""
PostgreSQL: a stored tsvector with a GIN index (operations.py), asked by one call of `search_answer`.

The function and those it calls are in migrations/0003_search_functions.py. The tsquery is put together here, from our
own terms, by functions that take plain words.
"""

from typing import Any

from django.db import connections
from django.utils import timezone

from core.caching.routers import read_alias
from search.query import Query, Term

from . import COUNTED, FEW_HITS, RANKED, Question, Row
from .markers import BEGIN, END

TITLE = f"StartSel={BEGIN}, StopSel={END}, HighlightAll=true"
SNIPPET = f"StartSel={BEGIN}, StopSel={END}, MaxWords=26, MinWords=14, ShortWord=0, MaxFragments=1"
PLACES = ", ".join(["%s"] * 12)


def answer(question: Question) -> list[Row]:
    parameters: list[Any] = []
    asked = _expression(question.query, parameters)
    parameters.append(question.is_common)
    meant = _expression(question.corrected, parameters) if question.corrected else "NULL"
    parameters += [question.is_corrected_common, _sought(question.corrected or question.query)]
    parameters += [question.kind or None, timezone.now(), question.limit, *(question.after or (None, None, None))]
    parameters += [COUNTED, RANKED, FEW_HITS, TITLE, SNIPPET]
    with connections[read_alias("search")].cursor() as cursor:
        cursor.execute(f"SELECT * FROM search_answer({asked}, %s, {meant}, {PLACES}, %s)", parameters)
        return [Row(*row) for row in cursor.fetchall()]


def _sought(query: Query) -> str:
    """Return the longest word, which is likely the rarest: long texts are shown from where it stands."""
    return max((term.single for term in query.wanted), key=len)


def _expression(query: Query, parameters: list[Any]) -> str:
    """Return the SQL of a tsquery; each word becomes a parameter."""
    wanted = [_term(term, parameters) for term in query.wanted]
    return " && ".join([*wanted, *(f"!!{_term(term, parameters)}" for term in query.unwanted)])


def _term(term: Term, parameters: list[Any]) -> str:
    if not term.is_begun:
        parameters.append(" ".join(term.words))
        return "phraseto_tsquery('atelier', %s)"
    # Words hold letters, digits and marks only, so the quotes below cannot be left.
    begun = " <-> ".join([*(f"'{word}'" for word in term.words[:-1]), f"'{term.words[-1]}':*"])
    parameters += [begun, *term.also]
    return " || ".join(["(to_tsquery('atelier', %s)", *["phraseto_tsquery('atelier', %s)"] * len(term.also)]) + ")"
