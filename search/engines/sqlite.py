"""
SQLite: an FTS5 table over the documents, kept by triggers (operations.py), asked in one statement.

The MATCH expression is put together from our own terms; words hold letters, digits and marks only and stand in double
quotes, so nothing typed reaches FTS5's grammar.
"""

from typing import Any

from django.db import connection
from django.utils import timezone

from search.query import Query, Term

from . import FEW_HITS, PLACES, RANKED, Question, Row
from .markers import BEGIN, END

# FTS5 yields the documents added last first, without sorting, and stops when there are enough.
MATCHES = """
    SELECT search_fts.rowid AS id FROM search_fts CROSS JOIN search_document ON search_document.id = search_fts.rowid
    WHERE search_fts MATCH {expression} AND public_from <= %(now)s {unless}
    ORDER BY search_fts.rowid DESC LIMIT {most}"""


def answer(question: Question) -> list[Row]:
    corrected = question.corrected or question.query
    plain, meant = _expression(question.query), _expression(corrected)
    parameters: dict[str, Any] = {
        "plain": _of_kind(plain, question.kind),
        "meant": _of_kind(meant, question.kind),
        "either": f"({plain}) OR ({meant})" if question.corrected else plain,
        "few": FEW_HITS if question.corrected else 0,
        "now": timezone.now().replace(tzinfo=None).isoformat(" "),
        "limit": question.limit,
    }
    score = f"CASE tier WHEN 0 THEN {_score(question.query, 'plain', parameters)} "
    score += f"ELSE {_score(corrected, 'meant', parameters)} END" if question.corrected else "END"
    position = ""
    if question.after:
        position = "WHERE (-tier, rank, id) < (-%(tier)s, %(rank)s, %(id)s)"
        parameters |= zip(("tier", "rank", "id"), question.after, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_statement(score, position), parameters)
        return [_row(*row) for row in cursor.fetchall()]


def _statement(score: str, position: str) -> str:
    new = "AND search_fts.rowid NOT IN (SELECT id FROM plain)"
    # As a condition of each row it would be asked of every match; as the limit it is asked once.
    most_others = f"(SELECT CASE WHEN count(*) < %(few)s THEN {RANKED + 1} ELSE 0 END FROM plain)"
    return f"""
        WITH plain AS MATERIALIZED ({MATCHES.format(expression="%(plain)s", unless="", most=RANKED + 1)}),
        meant AS MATERIALIZED ({MATCHES.format(expression="%(meant)s", unless=new, most=most_others)}),
        newest AS MATERIALIZED (
            SELECT * FROM (
                SELECT id, 0 AS tier FROM plain UNION ALL SELECT id, 1 FROM meant
            ) ORDER BY tier, id DESC LIMIT {RANKED}
        ),
        ranked AS MATERIALIZED (
            SELECT tier, newest.id, {score} + strftime('%%s', public_from) AS rank
            FROM newest CROSS JOIN search_document ON search_document.id = newest.id
        ),
        shown AS MATERIALIZED (SELECT * FROM ranked {position} ORDER BY tier, rank DESC, id DESC LIMIT %(limit)s + 1)
        SELECT shown.tier, shown.rank, search_document.id, search_document.kind, object_id, url,
            highlight(search_fts, 0, '{BEGIN}', '{END}'), {_snippet(2)}, {_snippet(3)},
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


def _score(query: Query, matching: str, parameters: dict[str, Any]) -> str:
    """Return the SQL of what a document is worth: for each term, the best place where it stands."""
    in_title, in_tags, elsewhere = PLACES
    scores = []
    for number, term in enumerate(query.wanted):
        places = []
        for column, worth in (("title", in_title), ("tags", in_tags)):
            name = f"{matching}_{number}_{column}"
            parameters[name] = f"({{{column}}} : {_term(term)}) AND ({parameters[matching]})"
            places.append(f"WHEN newest.id IN ({_held(name)}) THEN {worth}")
        scores.append(f"CASE {' '.join(places)} ELSE {elsewhere} END")
    return " + ".join(scores)


def _held(name: str) -> str:
    return f"SELECT rowid FROM search_fts WHERE search_fts MATCH %({name})s AND rowid >= (SELECT min(id) FROM newest)"


def _of_kind(expression: str, kind: str) -> str:
    return f"({expression}) AND ({{kind}} : {_quoted(kind)})" if kind else expression


def _expression(query: Query) -> str:
    """Return the MATCH expression of a query."""
    wanted = " AND ".join(_term(term) for term in query.wanted)
    unwanted = " OR ".join(_term(term) for term in query.unwanted)
    return f"{{title tags summary body}} : ({f'({wanted}) NOT ({unwanted})' if unwanted else wanted})"


def _term(term: Term) -> str:
    phrase = _quoted(*term.words) + (" *" if term.is_begun else "")
    return f"({' OR '.join([phrase, *map(_quoted, term.also)])})"


def _quoted(*words: str) -> str:
    return f'"{" ".join(words)}"'
