"""
What PostgreSQL answers searches with (search/engines/postgresql.py), as functions of its own.

Their plans are kept by the database for as long as a connection lives, behind a pooler too, so that a search is not
planned each time; and what is to be read next can depend on what was found so far. To change one, write a migration
that replaces it.
"""

from django.db import migrations

# The newest documents that match, read newest first; ctid leads to a row without another look into an index.
WALK = """
CREATE FUNCTION search_walk(asked tsquery, only_kind text, wanted integer, walked integer, moment timestamptz)
RETURNS tid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    -- Two statements, because each has an index in its order and no plan serves both.
    IF only_kind IS NULL THEN
        RETURN ARRAY(
            SELECT place FROM (
                SELECT ctid AS place, vector FROM search_document WHERE public_from <= moment
                ORDER BY public_from DESC, id DESC LIMIT walked
            ) newest WHERE vector @@ asked LIMIT wanted
        );
    END IF;
    RETURN ARRAY(
        SELECT place FROM (
            SELECT ctid AS place, vector FROM search_document WHERE kind = only_kind AND public_from <= moment
            ORDER BY public_from DESC, id DESC LIMIT walked
        ) newest WHERE vector @@ asked LIMIT wanted
    );
END $$
"""

# The newest documents that match, at most `wanted`: of a common word by reading the newest documents, of others (and
# where that finds too few) by the index of words, which gives all matches in no order. Settings instead of estimates:
# nothing is known about a query beforehand, and a wrong guess reads every document. (What is off looks so dear to the
# planner that it would compile the statement, which takes fifty times as long as running it.)
NEWEST = """
CREATE FUNCTION search_newest(asked tsquery, only_kind text, is_common boolean, wanted integer, moment timestamptz)
RETURNS tid[] LANGUAGE plpgsql STABLE
SET jit = off SET enable_seqscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    sample CONSTANT integer := 4000;
    found tid[];
    hits integer;
    documents real;
BEGIN
    IF is_common THEN
        found := search_walk(asked, only_kind, wanted, sample, moment);
        hits := cardinality(found);
        IF hits >= wanted THEN
            RETURN found;
        END IF;
        SELECT reltuples INTO documents FROM pg_class WHERE oid = 'search_document'::regclass;
        -- Reading on costs `wanted` by how many match in the sample; the index costs as many as match in all.
        IF hits > 0 AND wanted * (sample::real / hits) < hits * (documents / sample) THEN
            found := search_walk(asked, only_kind, wanted, wanted * 2 * sample / hits, moment);
            IF cardinality(found) >= wanted THEN
                RETURN found;
            END IF;
        END IF;
    END IF;
    RETURN ARRAY(
        SELECT place FROM (
            SELECT ctid AS place, public_from, id FROM search_document
            WHERE vector @@ asked AND public_from <= moment AND (only_kind IS NULL OR kind = only_kind)
            OFFSET 0  -- keeps the order below from choosing how to read
        ) matching ORDER BY public_from DESC, id DESC LIMIT wanted
    );
END $$
"""

# The part of a long text to look for the snippet in: around the first place where the word stands. Marking words in a
# whole text takes longer than everything else together.
PART = """
CREATE FUNCTION search_part(body text, stem text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    place integer := 0;
BEGIN
    IF length(body) <= 1200 THEN
        RETURN body;
    END IF;
    IF stem <> '' THEN
        place := strpos(lower(body), stem);
    END IF;
    IF place = 0 THEN
        RETURN left(body, 20000);
    ELSIF place <= 200 THEN
        RETURN left(body, 1000);
    END IF;
    -- Cut between words, unless there are none for a hundred characters.
    RETURN regexp_replace(substr(body, place - 200, 1000), '^\\S{0,100}\\s+', '');
END $$
"""

# The best matches of the newest: those of `asked` (tier 0), and when they are few those of `meant` too (tier 1).
ANSWER = """
CREATE FUNCTION search_answer(
    asked tsquery, is_common boolean, meant tsquery, is_meant_common boolean, sought text, only_kind text,
    moment timestamptz, shown integer, after_tier integer, after_rank float8, after_id bigint,
    counted integer, ranked integer, few integer, title_options text, snippet_options text
)
RETURNS TABLE (
    tier integer, rank float8, id bigint, kind varchar, object_id bigint, url varchar, title text, snippet text,
    total integer, corrected integer, is_last boolean
)
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    plain tid[] := search_newest(asked, only_kind, is_common, counted + 1, moment);
    others tid[] := '{}';
    either tsquery := asked;
    stem text := rtrim(coalesce((ts_lexize('atelier_stem', sought))[1], ''), 'i');
BEGIN
    IF meant IS NOT NULL THEN
        either := asked || meant;
        IF cardinality(plain) < few THEN
            others := ARRAY(
                SELECT place
                FROM unnest(search_newest(meant, only_kind, is_meant_common, counted + 1, moment))
                    WITH ORDINALITY AS found(place, number)
                WHERE place <> ALL(plain) ORDER BY number
            );
        END IF;
    END IF;
    RETURN QUERY
        WITH best AS (
            SELECT * FROM (
                SELECT 0 AS tier, ts_rank('{0.05, 0.2, 0.5, 1}', vector, either)::float8 AS rank, id, ctid AS place
                FROM search_document WHERE ctid = ANY(plain[:ranked])
                UNION ALL
                SELECT 1, ts_rank('{0.05, 0.2, 0.5, 1}', vector, either)::float8, id, ctid
                FROM search_document WHERE ctid = ANY(others[:ranked - cardinality(plain)])
            ) found
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

# Words that are the typed one with a letter out or swapped (`slips`), or that share its trigrams; none when it is known.
NEAR = """
CREATE FUNCTION search_near(typed text, slips text[], trigrams text[], shortest integer, longest integer, most integer)
RETURNS TABLE (word varchar, documents integer)
LANGUAGE plpgsql STABLE SET jit = off AS $$
#variable_conflict use_column
BEGIN
    IF EXISTS (SELECT 1 FROM search_word WHERE word = typed) THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT word, documents FROM search_word WHERE word = ANY(slips)
        UNION ALL
        SELECT search_word.word, search_word.documents
        FROM (
            SELECT word_id FROM search_trigram WHERE trigram = ANY(trigrams) AND length BETWEEN shortest AND longest
            GROUP BY word_id ORDER BY count(*) DESC LIMIT most
        ) neighbours JOIN search_word ON search_word.word = word_id;
END $$
"""

FUNCTIONS = {
    "search_walk(tsquery, text, integer, integer, timestamptz)": WALK,
    "search_newest(tsquery, text, boolean, integer, timestamptz)": NEWEST,
    "search_part(text, text)": PART,
    "search_answer(tsquery, boolean, tsquery, boolean, text, text, timestamptz, integer, integer, float8, bigint, "
    "integer, integer, integer, text, text)": ANSWER,
    "search_near(text, text[], text[], integer, integer, integer)": NEAR,
}


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in FUNCTIONS.values():
            schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for signature in reversed(FUNCTIONS):
            schema_editor.execute(f"DROP FUNCTION {signature}", params=None)


class Migration(migrations.Migration):
    dependencies = [("search", "0002_make_searchable")]

    operations = [migrations.RunPython(create, drop)]
