"""
Searches whose cost does not grow with the documents, and words found inside of Chinese, Japanese and Thai.

The table of documents is written anew: for a hundred thousand of them that takes half a minute, in which none can be
saved. The functions of 0003 stay for the processes of the release before.
"""

from django.db import migrations

from search.operations import BLOCKS, MakeSearchableAnew
from search.unspaced import paired, put_together

TEXTS = ("title", "tags", "summary", "body")
MAX_BODY = 100_000
CHUNK = 500

ALL = """
CREATE FUNCTION search_all(terms tsquery[]) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    asked tsquery := terms[1];
    term tsquery;
BEGIN
    FOREACH term IN ARRAY terms[2:] LOOP
        asked := asked && term;
    END LOOP;
    RETURN asked;
END $$
"""

# Settings instead of estimates: nothing is known about a query beforehand, and a wrong guess reads every document.
# (What is off looks so dear to the planner that it would compile the statement, which takes fifty times as long as
# running it.) The index of words answers alone; ctid leads to a row without another look into an index.
MATCHING = """
CREATE FUNCTION search_matching(asked tsquery, wanted integer, moment timestamptz) RETURNS tid[]
LANGUAGE plpgsql STABLE SET jit = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN ARRAY(
        SELECT place FROM (
            SELECT ctid AS place, id FROM search_document WHERE vector @@ asked AND public_from <= moment
            OFFSET 0  -- keeps the order below from choosing how to read
        ) matching ORDER BY id DESC LIMIT wanted
    );
END $$
"""

# The documents added last that match, at most `wanted`. The index gives all matches in no order, so a common word is
# asked for in the last two blocks of documents only, then in larger ones, until enough are found: what is read is then
# a few times what is wanted, however many match in all.
LATEST = f"""
CREATE FUNCTION search_latest(asked tsquery, only_kind text, is_common boolean, wanted integer, moment timestamptz)
RETURNS tid[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    last CONSTANT bigint := (SELECT max(id) FROM search_document);
    bits integer;
    found tid[];
BEGIN
    IF only_kind IS NOT NULL THEN
        asked := asked && quote_literal('~' || only_kind)::tsquery;
    END IF;
    IF is_common THEN
        FOREACH bits IN ARRAY ARRAY{list(BLOCKS)} LOOP
            found := search_matching(
                asked && format('''~%1$s.%2$s'' | ''~%1$s.%3$s''', bits, last >> bits, (last >> bits) - 1)::tsquery,
                wanted, moment
            );
            IF cardinality(found) >= wanted THEN
                RETURN found;
            END IF;
        END LOOP;
    END IF;
    RETURN search_matching(asked, wanted, moment);
END $$
"""

# For each term the best place where it stands; `places` is what title, tags and text are worth.
WORTH = """
CREATE FUNCTION search_worth(headings tsvector, terms tsquery[], places float8[]) RETURNS float8
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    title CONSTANT tsvector := ts_filter(headings, '{a}');
    tags CONSTANT tsvector := ts_filter(headings, '{b}');
    worth float8 := 0;
    term tsquery;
BEGIN
    FOREACH term IN ARRAY terms LOOP
        worth := worth + CASE WHEN title @@ term THEN places[1] WHEN tags @@ term THEN places[2] ELSE places[3] END;
    END LOOP;
    RETURN worth;
END $$
"""

# The best matches of the newest: those of `terms` (tier 0), and when they are few those of `better` too (tier 1).
ANSWER = """
CREATE FUNCTION search_answer(
    terms tsquery[], is_common boolean, better tsquery[], is_better_common boolean, sought text, only_kind text,
    moment timestamptz, shown integer, after_tier integer, after_rank float8, after_id bigint,
    ranked integer, few integer, places float8[], title_options text, snippet_options text
)
RETURNS TABLE (
    tier integer, rank float8, id bigint, kind varchar, object_id bigint, url varchar, title text, snippet text,
    total integer, corrected integer, is_last boolean
)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT tsquery := search_all(terms);
    either tsquery := asked;
    plain CONSTANT tid[] := search_latest(asked, only_kind, is_common, ranked + 1, moment);
    others tid[] := '{}';
    stem CONSTANT text := rtrim(coalesce((ts_lexize('atelier_stem', sought))[1], ''), 'i');
BEGIN
    IF better IS NOT NULL THEN
        either := asked || search_all(better);
        IF cardinality(plain) < few THEN
            others := ARRAY(
                SELECT place
                FROM unnest(search_latest(search_all(better), only_kind, is_better_common, ranked + 1, moment))
                    WITH ORDINALITY AS found(place, number)
                WHERE place <> ALL(plain) ORDER BY number
            );
        END IF;
    END IF;
    RETURN QUERY
        WITH found AS (
            SELECT 0 AS tier, search_worth(headings, terms, places) AS worth, public_from, id, ctid AS place
            FROM search_document WHERE ctid = ANY(plain[:ranked])
            UNION ALL
            SELECT 1, search_worth(headings, better, places), public_from, id, ctid
            FROM search_document WHERE ctid = ANY(others[:ranked - cardinality(plain)])
        ), best AS (
            SELECT * FROM (
                SELECT tier, worth + floor(extract(epoch FROM public_from))::float8 AS rank, id, place FROM found
            ) ranking
            WHERE after_tier IS NULL OR (-tier, rank, id) < (-after_tier, after_rank, after_id)
            ORDER BY tier, rank DESC, id DESC LIMIT shown + 1
        ), page AS (
            SELECT *, count(*) OVER () <= shown AS is_last FROM best ORDER BY tier, rank DESC, id DESC LIMIT shown
        )
        SELECT page.tier, page.rank, page.id, document.kind, document.object_id, document.url,
            ts_headline('atelier', document.title, either, title_options),
            ts_headline(
                'atelier', search_part(document.summary || ' ' || document.body, stem), either, snippet_options
            ),
            cardinality(plain) + cardinality(others), cardinality(others), page.is_last
        FROM page JOIN search_document document ON document.ctid = page.place
        ORDER BY page.tier, page.rank DESC, page.id DESC;
END $$
"""

FUNCTIONS = {
    "search_all(tsquery[])": ALL,
    "search_matching(tsquery, integer, timestamptz)": MATCHING,
    "search_latest(tsquery, text, boolean, integer, timestamptz)": LATEST,
    "search_worth(tsvector, tsquery[], float8[])": WORTH,
    "search_answer(tsquery[], boolean, tsquery[], boolean, text, text, timestamptz, integer, integer, float8, bigint, "
    "integer, integer, float8[], text, text)": ANSWER,
}


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in FUNCTIONS.values():
            schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for signature in reversed(FUNCTIONS):
            schema_editor.execute(f"DROP FUNCTION {signature}", params=None)


def pair(apps, schema_editor):
    _write_anew(apps, paired)


def part(apps, schema_editor):
    _write_anew(apps, put_together)


def _write_anew(apps, change):
    documents = apps.get_model("search", "Document").objects
    changed = []
    for document in documents.only(*TEXTS).iterator(CHUNK):
        before = [getattr(document, name) for name in TEXTS]
        after = [change(text) for text in before]
        after[-1] = after[-1][:MAX_BODY]
        if after != before:
            vars(document).update(zip(TEXTS, after, strict=True))
            changed.append(document)
        if len(changed) == CHUNK:
            documents.bulk_update(changed, TEXTS)
            changed = []
    documents.bulk_update(changed, TEXTS)


class Migration(migrations.Migration):
    dependencies = [("search", "0004_learn_words_when_public")]

    operations = [
        migrations.RemoveIndex("document", "document_newest"),
        migrations.RemoveIndex("document", "document_newest_of_kind"),
        migrations.RunPython(pair, part),
        MakeSearchableAnew(),
        migrations.RunPython(create, drop),
    ]
