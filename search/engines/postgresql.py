"""
PostgreSQL: a stored tsvector with a GIN index (operations.py), asked in one statement.

The tsquery is put together from our own terms by functions that take plain words. Matches are collected by one of two
ways. Of a common word the newest documents are read until there are enough matches (`_walk`); else, or when that found
too few, the GIN index gives all of them (`_found`). Left to itself the planner guesses wrong for words of middling
frequency and reads a hundred thousand vectors. `ts_headline` is computed for the rows shown only.
"""

from typing import Any

from django.db import connection
from django.utils import timezone

from search.query import Query, Term

from . import COUNTED, FEW, RANKED, Question, Row
from .markers import BEGIN, END

WALKED = 4000  # documents read before the index is asked after all
HEADLINED = 20_000  # characters of a body that are looked through for the snippet
HEADLINE = f"StartSel={BEGIN}, StopSel={END}, MaxWords=26, MinWords=14, ShortWord=0, MaxFragments=1"
TITLE = f"StartSel={BEGIN}, StopSel={END}, HighlightAll=true"


def answer(question: Question) -> list[Row]:
    parameters: dict[str, Any] = {"limit": question.limit + 1, "now": timezone.now()}
    visible = "public_from <= %(now)s"
    if question.kinds:
        visible += " AND kind = ANY(%(kinds)s)"
        parameters["kinds"] = list(question.kinds)
    position = ""
    if question.after:
        position = "WHERE (-tier, rank, id) < (-%(tier)s, %(rank)s, %(id)s)"
        parameters |= zip(("tier", "rank", "id"), question.after, strict=True)
    either = plain = _expression(question.query, parameters)
    matches = _matches("plain", plain, visible, "TRUE", is_common=question.is_common)
    newest, corrected_hits = "SELECT id, 0 AS tier, public_from FROM plain", "0"
    if question.corrected:
        corrected = _expression(question.corrected, parameters)
        either = f"{plain} || ({corrected})"
        few = f"(SELECT count(*) FROM plain) < {FEW} AND id NOT IN (SELECT id FROM plain)"
        matches += _matches("meant", corrected, visible, few, is_common=question.is_corrected_common)
        newest += " UNION ALL SELECT id, 1, public_from FROM meant"
        corrected_hits = "(SELECT count(*) FROM meant)"
    with connection.cursor() as cursor:
        cursor.execute(_statement(matches, newest, either, corrected_hits, position), parameters)
        return [Row(*row) for row in cursor.fetchall()]


def _matches(name: str, query: str, visible: str, condition: str, *, is_common: bool) -> str:
    """Return the SQL of the table `name`: the newest matches (id, public_from), one more than are counted."""
    return f"""
        {name}_query AS MATERIALIZED (SELECT {query} AS query),
        {name}_walk AS MATERIALIZED (
            SELECT id, public_from FROM (
                SELECT id, public_from, vector FROM search_document WHERE {visible} AND {condition}
                ORDER BY public_from DESC, id DESC LIMIT {WALKED if is_common else 0}
            ) newest
            WHERE vector @@ (SELECT query FROM {name}_query) LIMIT {COUNTED + 1}
        ),
        {name}_found AS MATERIALIZED (
            SELECT id, public_from FROM search_document
            WHERE (SELECT count(*) FROM {name}_walk) <= {COUNTED} AND {visible} AND {condition}
                AND vector @@ (SELECT query FROM {name}_query)
        ),
        {name} AS MATERIALIZED (
            (SELECT id, public_from FROM {name}_walk WHERE (SELECT count(*) FROM {name}_walk) > {COUNTED})
            UNION ALL
            (SELECT id, public_from FROM {name}_found ORDER BY public_from DESC, id DESC LIMIT {COUNTED + 1})
        ),"""


def _statement(matches: str, newest: str, either: str, corrected_hits: str, position: str) -> str:
    return f"""
        WITH {matches}
        asked AS MATERIALIZED (SELECT {either} AS query),
        newest AS ({newest} ORDER BY tier, public_from DESC, id DESC LIMIT {RANKED}),
        ranked AS (
            SELECT newest.tier, newest.id,
                ts_rank('{{0.05, 0.2, 0.5, 1}}', vector, (SELECT query FROM asked))::float8 AS rank
            FROM newest JOIN search_document USING (id)
        ),
        shown AS (SELECT * FROM ranked {position} ORDER BY tier, rank DESC, id DESC LIMIT %(limit)s)
        SELECT tier, rank, id, kind, object_id, url,
            ts_headline('atelier', title, (SELECT query FROM asked), '{TITLE}'),
            ts_headline(
                'atelier', summary || ' ' || left(body, {HEADLINED}), (SELECT query FROM asked), '{HEADLINE}'
            ),
            (SELECT count(*) FROM plain) + {corrected_hits}, {corrected_hits}
        FROM shown JOIN search_document USING (id)
        ORDER BY tier, rank DESC, id DESC
    """


def _expression(query: Query, parameters: dict[str, Any]) -> str:
    """Return the SQL of a tsquery; each word becomes a parameter."""
    wanted = " && ".join(_term(term, parameters) for term in query.wanted)
    return " && ".join([wanted, *(f"!!{_term(term, parameters)}" for term in query.unwanted)])


def _term(term: Term, parameters: dict[str, Any]) -> str:
    def named(value: str) -> str:
        name = f"word{len(parameters)}"
        parameters[name] = value
        return f"%({name})s"

    if not term.is_begun:
        return f"phraseto_tsquery('atelier', {named(' '.join(term.words))})"
    # Words hold letters, digits and marks only, so the quotes below cannot be left.
    begun = " <-> ".join([*(f"'{word}'" for word in term.words[:-1]), f"'{term.words[-1]}':*"])
    parts = [f"to_tsquery('atelier', {named(begun)})"]
    parts += [f"phraseto_tsquery('atelier', {named(word)})" for word in term.also]
    return f"({' || '.join(parts)})"
