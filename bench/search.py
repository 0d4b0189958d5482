"""
Search at 100,000 posts on PostgreSQL: the tutorial's query against ours, both on the same rows in one run.

The tutorial annotates each row with a SearchVector and, for misspelt words, with a TrigramSimilarity of the title.
BENCH_POSTS changes the number of posts.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import accumulate
from typing import Any

import psycopg

from config.management.services import start

POSTS = int(os.environ.get("BENCH_POSTS", "100000"))
COMMON, MIDDLING, RARE = "workshop", "kiln", "marmalade"
MISSPELT = {
    "marmelade": RARE,
    "mamralade": RARE,
    "marmalad": RARE,
    "wrokshop": COMMON,
    "workshp": COMMON,
    "klin": MIDDLING,
    "celadno": "celadon",
    "porcelian": "porcelain",
    "stonewear": "stoneware",
    "earthenwear": "earthenware",
    "letterpres": "letterpress",
    "tyopgraphy": "typography",
}
SYLLABLES = [consonant + vowel for consonant in "bdfklmnprstv" for vowel in "aeiou"]


@contextmanager
def database() -> Iterator[None]:
    """Give the process a PostgreSQL database of its own, migrated and dropped at the end."""
    services = start()
    server, _, _ = services.urls["postgresql"].rpartition("/")
    name = f"atelier_bench_{os.getpid()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    os.environ |= {"DATABASE_URL": f"{server}/{name}", "DEBUG": "true", "DJANGO_SETTINGS_MODULE": "config.settings"}
    try:
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connection

        settings.DEBUG = False  # or Django keeps every statement
        call_command("migrate", verbosity=0)
        yield
        connection.close()
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        services.stop()


def fill(posts: int) -> None:
    """Write posts whose words are spread as in real text: few are everywhere, most are rare."""
    from django.db import connection
    from django.utils import timezone

    from search import vocabulary
    from search.index import words_of
    from search.models import Document

    random.seed(7)
    words = sorted({"".join(random.choices(SYLLABLES, k=random.choice((2, 2, 3, 3, 4)))) for _ in range(40_000)})
    random.shuffle(words)
    weights = list(accumulate(1 / rank for rank in range(10, len(words) + 10)))
    special = sorted(set(MISSPELT.values()) - {COMMON, MIDDLING})
    counts: Counter[str] = Counter()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE search_document RESTART IDENTITY")
        cursor.execute("DROP INDEX search_document_vector")  # building it at the end is quicker
    for first in range(0, posts, 2000):
        batch = []
        for number in range(first, min(first + 2000, posts)):
            title = random.choices(words, cum_weights=weights, k=6)
            body = random.choices(words, cum_weights=weights, k=60)
            if number % 5:
                body[number % 60] = COMMON
            if number % 50 == 0:
                body[3] = MIDDLING
            if number % 400 == 0:
                title[2] = special[number // 400 % len(special)]
            if number % 1000 == 1:
                title[3] = COMMON if number % 2000 == 1 else MIDDLING
            document = Document(
                kind="post",
                object_id=number,
                title=" ".join(title).capitalize(),
                body=" ".join(body),
                url=f"/blog/{number}/",
                public_from=timezone.now() - timedelta(minutes=posts - number),
            )
            counts.update(words_of(document))
            batch.append(document)
        Document.objects.bulk_create(batch)
    vocabulary.rebuild(counts)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX search_document_vector ON search_document USING gin (vector)")
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute("VACUUM ANALYZE")
    print(f"{posts:,} posts, {len(counts):,} different words")


def fastest(act: Callable[[], Any], times: int) -> float:
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        act()
        best = min(best, time.perf_counter() - began)
    return best * 1000


def tutorial_matches(text: str) -> Any:
    from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector

    from search.models import Document

    vector = SearchVector("title", weight="A") + SearchVector("body", weight="B")
    asked = SearchQuery(text)
    return Document.objects.annotate(search=vector, rank=SearchRank(vector, asked)).filter(search=asked)


def tutorial(text: str) -> list[int]:
    return list(tutorial_matches(text).order_by("-rank").values_list("object_id", flat=True)[:10])


def tutorial_page(text: str) -> None:
    """The ten best and how many there are, which is what a page of results needs and what ours always answers."""
    tutorial_matches(text).count()
    tutorial(text)


def tutorial_misspelt(text: str) -> list[int]:
    from django.contrib.postgres.search import TrigramSimilarity

    from search.models import Document

    found = Document.objects.annotate(similarity=TrigramSimilarity("title", text)).filter(similarity__gt=0.1)
    return list(found.order_by("-similarity").values_list("object_id", flat=True)[:10])


def ours(text: str) -> list[int]:
    from search.engines import search

    return [hit.object_id for hit in search(text, limit=10).hits]


def ours_typing(text: str) -> None:
    from search.engines import search

    search(text, limit=10, is_typing=True)


def exact(text: str) -> list[int]:
    """Rank every match, without any bound, by the same function."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT object_id FROM search_document, phraseto_tsquery('atelier', %s) asked WHERE vector @@ asked "
            "ORDER BY ts_rank('{0.05, 0.2, 0.5, 1}', vector, asked) DESC, id DESC LIMIT 10",
            [text],
        )
        return [row[0] for row in cursor.fetchall()]


def holding(word: str, ids: list[int]) -> int:
    """Count those of the found posts that hold the word that was meant."""
    from django.db.models import Q

    from search.models import Document

    return Document.objects.filter(Q(title__icontains=word) | Q(body__icontains=word), object_id__in=ids).count()


def main() -> None:
    with database():
        fill(POSTS // 100)
        small = {word: fastest(partial(ours, word), 20) for word in (RARE, COMMON)}
        fill(POSTS)
        print(
            "\nOurs holds the total, the snippets and the look for misspelt words; `same job` adds its COUNT to the tutorial."
        )
        print(f"{'word':<14}{'tutorial':>12}{'ours':>10}{'ratio':>9}{'same job':>11}")
        for word in (RARE, MIDDLING, COMMON):
            compare(word)
        for word, before in small.items():
            print(f"{word}: {fastest(partial(ours, word), 20) / before:.1f} x its time at {POSTS // 100:,} posts")
        print(f"\n{'while typing':<14}{'ours':>10}")
        for typed in ("w", "wo", "wor", "marm", "workshop ki"):
            print(f"{typed:<14}{fastest(partial(ours_typing, typed), 10):>7.2f} ms")
        print(
            f"\n{'misspelt':<14}{'tutorial':>12}{'ours':>10}{'ratio':>9}   of ten: posts with the word that was meant"
        )
        found = [compare_misspelt(typed, meant) for typed, meant in MISSPELT.items()]
        never_fewer = all(ours >= theirs for theirs, ours in found)
        print("Never fewer than the tutorial." if never_fewer else "FEWER THAN THE TUTORIAL.")


def compare(word: str) -> None:
    from search.engines import search

    theirs, page_of_theirs = fastest(partial(tutorial, word), 2), fastest(partial(tutorial_page, word), 2)
    mine = fastest(partial(ours, word), 20)
    page = search(word, limit=10)
    total = f"{page.total:,}{' or more' if page.total_capped else ''} matches"
    same = "the" if ours(word) == exact(word) else "NOT the"
    note = f"{same} top ten of ranking all" if page.total <= 500 else "ranked: the newest 500"
    ratios = f"{theirs / mine:>8,.0f}x{page_of_theirs / mine:>10,.0f}x"
    print(f"{word:<14}{theirs:>9.0f} ms{mine:>7.2f} ms{ratios}   {total}, {note}")


def compare_misspelt(typed: str, meant: str) -> tuple[int, int]:
    theirs, mine = fastest(partial(tutorial_misspelt, typed), 2), fastest(partial(ours, typed), 10)
    hits = holding(meant, tutorial_misspelt(typed)), holding(meant, ours(typed))
    print(f"{typed:<14}{theirs:>9.0f} ms{mine:>7.2f} ms{theirs / mine:>8,.0f}x   {hits[0]} and {hits[1]}")
    return hits


if __name__ == "__main__":
    main()
