"""Many documents in the search index at once: made of invented words that are spread as in real text."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate, islice
from typing import Any

DIFFERENT = 100_000  # texts; where more are asked for, they come again
# In four posts of five, in one of five, in one of fifty, in ten however many there are.
COMMON, FREQUENT, MIDDLING, RARE = "workshop", "glaze", "kiln", "marmalade"
SPECIAL = ("celadon", "earthenware", "letterpress", "porcelain", "stoneware", "typography")  # in a few titles
SYLLABLES = [consonant + vowel for consonant in "bdfklmnprstv" for vowel in "aeiou"]
COLUMNS = "kind, object_id, title, tags, summary, body, url, public_from"


def fill(posts: int) -> None:
    """Replace the index by so many documents, one of ten a product."""
    from django.db import connection
    from django.utils import timezone

    from search import vocabulary

    is_postgresql = connection.vendor == "postgresql"
    execute(
        # The index is quicker built at the end.
        ["TRUNCATE search_document RESTART IDENTITY", "DROP INDEX search_document_vector"]
        if is_postgresql
        else ["DELETE FROM search_document"]
    )
    began = timezone.now() - timedelta(minutes=posts)
    (copy_in if is_postgresql else insert)(rows(posts, began))
    vocabulary.rebuild(counts(posts))
    execute(
        [
            "SET maintenance_work_mem = '512MB'",
            "CREATE INDEX search_document_vector ON search_document USING gin (vector) WITH (fastupdate = off)",
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "VACUUM ANALYZE",
        ]
        if is_postgresql
        else ["ANALYZE"]
    )
    print(f"{posts:,} posts, {len(counts(posts)):,} different words", flush=True)


def rows(posts: int, began: datetime) -> Iterator[tuple[Any, ...]]:
    known = texts(min(posts, DIFFERENT))
    rare = {posts * tenth // 10 for tenth in range(10)}
    for number in range(posts):
        title, body = known[number % len(known)]
        if number in rare:
            title += f" {RARE}"
        kind = "product" if number % 10 == 3 else "post"
        yield kind, number, title, "", "", body, f"/blog/{number}/", began + timedelta(minutes=number)


@cache
def texts(posts: int) -> list[tuple[str, str]]:
    """Return titles and bodies: few words are everywhere, most are rare."""
    random.seed(7)
    words = sorted({"".join(random.choices(SYLLABLES, k=random.choice((2, 2, 3, 3, 4)))) for _ in range(40_000)})
    random.shuffle(words)
    weights = list(accumulate(1 / rank for rank in range(10, len(words) + 10)))
    return [text(number, random.choices(words, cum_weights=weights, k=66)) for number in range(posts)]


def text(number: int, words: list[str]) -> tuple[str, str]:
    title, body = words[:6], words[6:]
    if number % 5:
        body[number % 60] = COMMON
    if number % 5 == 1:
        body[-1] = FREQUENT
    if number % 50 == 0:
        body[3] = MIDDLING
    if number % 400 == 0:
        title[2] = SPECIAL[number // 400 % len(SPECIAL)]
    if number % 1000 == 1:
        title[3] = COMMON if number % 2000 == 1 else MIDDLING
    return " ".join(title).capitalize(), " ".join(body)


@cache
def counts(posts: int) -> Counter[str]:
    from search.words import vocabulary_of

    known = texts(min(posts, DIFFERENT))
    found = Counter(word for text in known for word in vocabulary_of(text))
    return Counter({RARE: 10} | {word: count * posts // len(known) for word, count in found.items()})


def copy_in(documents: Iterable[tuple[Any, ...]]) -> None:
    from django.db import connection

    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(f"COPY search_document ({COLUMNS}) FROM STDIN") as copy:
        for document in documents:
            copy.write_row(document)


def insert(documents: Iterator[tuple[Any, ...]]) -> None:
    from django.db import connection, transaction

    places = ", ".join(["%s"] * len(COLUMNS.split(", ")))
    with transaction.atomic(), connection.cursor() as cursor:
        while batch := [(*each[:-1], each[-1].replace(tzinfo=None)) for each in islice(documents, 10_000)]:
            cursor.executemany(f"INSERT INTO search_document ({COLUMNS}) VALUES ({places})", batch)


def fill_with(entries: Iterable[tuple[str, str, str, str]]) -> None:
    """Replace the index by entries (kind, title, tags, body), each an hour newer than the one before."""
    from django.utils import timezone

    from search import vocabulary
    from search.index import document_of, save
    from search.models import Document
    from search.registry import Entry

    Document.objects.all().delete()
    vocabulary.rebuild(Counter())
    began = timezone.now() - timedelta(days=365)
    for number, (kind, title, tags, body) in enumerate(entries):
        entry = Entry(title, f"/{number}/", "", body, tags, began + timedelta(hours=number))
        save(kind, [document_of(kind, number, entry)])


def execute(statements: Iterable[str]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
