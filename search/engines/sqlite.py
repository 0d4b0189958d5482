"""
SQLite: an FTS5 table over the documents, kept by triggers (operations.py), asked in one statement.

The MATCH expression is put together from our own terms; words hold letters, digits and marks only and stand in double
quotes, so nothing typed reaches FTS5's grammar. "Newest" means added last: FTS5 yields that order without sorting.
"""

from typing import Any

from django.db import connection
from django.utils import timezone

from search.query import Query, Term

from . import COUNTED, FEW_HITS, RANKED, Question, Row
from .markers import BEGIN, END

# A word in the title has to beat any number of them in a body, which no single set of weights does: bm25 saturates.
RANKED_BY_WORDS = """
    SELECT newest.tier, newest.id, -(3 * bm25(search_fts, 10, 0, 0, 0) + bm25(search_fts, 0, 4, 4, 1)) AS rank
    FROM search_fts CROSS JOIN newest ON newest.id = search_fts.rowid
    WHERE search_fts MATCH %(either)s AND search_fts.rowid >= (SELECT min(id) FROM newest)
"""
# bm25 reads every match of a word to weigh it, and words that are everywhere weigh nothing anyway.
RANKED_BY_TITLE = """
    SELECT tier, id, id IN (
        SELECT rowid FROM search_fts
        WHERE search_fts MATCH %(title)s AND rowid >= (SELECT min(id) FROM newest)
    ) AS rank
    FROM newest
"""


def answer(question: Question) -> list[Row]:
    plain = _expression(question.query)
    corrected = _expression(question.corrected) if question.corrected else plain
    parameters: dict[str, Any] = {
        "plain": plain,
        "corrected": corrected,
        "either": f"({plain}) OR ({corrected})" if question.corrected else plain,
        "title": f"{{title}} : ({plain})",
        "few": FEW_HITS if question.corrected else 0,
        "now": timezone.now().replace(tzinfo=None).isoformat(" "),
        "limit": question.limit,
        "kind": question.kind,
    }
    position = ""
    if question.after:
        position = "WHERE (-tier, rank, id) < (-%(tier)s, %(rank)s, %(id)s)"
        parameters |= zip(("tier", "rank", "id"), question.after, strict=True)
    with connection.cursor() as cursor:
        ranked = RANKED_BY_TITLE if question.is_common else RANKED_BY_WORDS
        cursor.execute(_statement("AND kind = %(kind)s" if question.kind else "", ranked, position), parameters)
        return [_row(*row) for row in cursor.fetchall()]


def _statement(kind: str, ranked: str, position: str) -> str:
    matches = f"""
        SELECT search_fts.rowid AS id FROM search_fts CROSS JOIN search_document ON search_document.id = search_fts.rowid
        WHERE search_fts MATCH {{expression}} AND public_from <= %(now)s {kind}"""
    latest = f"ORDER BY search_fts.rowid DESC LIMIT {COUNTED + 1}"
    return f"""
        WITH plain AS MATERIALIZED ({matches.format(expression="%(plain)s")} {latest}),
        meant AS MATERIALIZED (
            {matches.format(expression="%(corrected)s")} AND (SELECT count(*) FROM plain) < %(few)s
            AND search_fts.rowid NOT IN (SELECT id FROM plain) {latest}
        ),
        newest AS MATERIALIZED (
            SELECT * FROM (
                SELECT id, 0 AS tier FROM plain UNION ALL SELECT id, 1 FROM meant
            ) ORDER BY tier, id DESC LIMIT {RANKED}
        ),
        ranked AS MATERIALIZED ({ranked}),
        shown AS MATERIALIZED (SELECT * FROM ranked {position} ORDER BY tier, rank DESC, id DESC LIMIT %(limit)s + 1)
        SELECT shown.tier, shown.rank, search_document.id, kind, object_id, url, highlight(search_fts, 0, '{BEGIN}', '{END}'),
            {_snippet(2)}, {_snippet(3)},
            (SELECT count(*) FROM plain) + (SELECT count(*) FROM meant), (SELECT count(*) FROM meant),
            (SELECT count(*) FROM shown) <= %(limit)s
        FROM shown CROSS JOIN search_fts ON search_fts.rowid = shown.id
        CROSS JOIN search_document ON search_document.id = shown.id
        WHERE search_fts MATCH %(either)s
        ORDER BY shown.tier, shown.rank DESC, search_document.id DESC LIMIT %(limit)s
    """


def _snippet(column: int) -> str:
    return f"snippet(search_fts, {column}, '{BEGIN}', '{END}', '…', 26)"


def _row(*values: Any) -> Row:
    *before, summary, body, total, corrected, is_last = values
    snippet = body if BEGIN in body and BEGIN not in summary else summary or body
    return Row._make([*before, snippet, total, corrected, bool(is_last)])


def _expression(query: Query) -> str:
    """Return the MATCH expression of a query."""
    wanted = " AND ".join(_term(term) for term in query.wanted)
    unwanted = " OR ".join(_term(term) for term in query.unwanted)
    return f"({wanted}) NOT ({unwanted})" if unwanted else wanted


def _term(term: Term) -> str:
    phrase = _quoted(*term.words) + (" *" if term.is_begun else "")
    # All words with one letter are no index of FTS5's and take a second; the usual ones stand in for them.
    phrases = [] if term.also and len(term.single) == 1 else [phrase]
    return f"({' OR '.join([*phrases, *map(_quoted, term.also)])})"


def _quoted(*words: str) -> str:
    return f'"{" ".join(words)}"'
