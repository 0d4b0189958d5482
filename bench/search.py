"""
Search at 100,000 posts on PostgreSQL: the tutorial's query against ours, both on the same rows in one run.

The tutorial annotates each row with a SearchVector and, for misspelt words, with a TrigramSimilarity of the title.
Then ours on SQLite, at 1,000 posts and at as many. BENCH_POSTS changes the number of posts.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import accumulate, islice
from typing import Any

from bench._databases import postgresql, sqlite

POSTS = int(os.environ.get("BENCH_POSTS", "100000"))
OFTEN = 60  # so often is a search made for its least time, a scan of seconds less often
# In four posts of five, in one of five, in one of fifty, in a few.
COMMON, FREQUENT, MIDDLING, RARE = WORDS = "workshop", "glaze", "kiln", "marmalade"
TYPED = ("w", "wo", "wor", "marm", "workshop ki")
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


def fill(posts: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from search import vocabulary
    from search.index import words_of
    from search.models import Document

    counts: Counter[str] = Counter()
    is_postgresql = connection.vendor == "postgresql"
    execute(
        # The index is quicker built at the end.
        ["TRUNCATE search_document RESTART IDENTITY", "DROP INDEX search_document_vector"]
        if is_postgresql
        else ["DELETE FROM search_document"]
    )
    written = texts(posts)
    while batch := [
        Document(
            kind="post", object_id=number, title=title, body=body, url=f"/blog/{number}/",
            public_from=timezone.now() - timedelta(minutes=posts - number),
        )
        for number, title, body in islice(written, 2000)
    ]:  # fmt: skip
        counts.update(word for document in batch for word in words_of(document))
        Document.objects.bulk_create(batch)
    vocabulary.rebuild(counts)
    execute(
        [
            "CREATE INDEX search_document_vector ON search_document USING gin (vector)",
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "VACUUM ANALYZE",
        ]
        if is_postgresql
        else ["ANALYZE"]
    )
    print(f"{posts:,} posts, {len(counts):,} different words")


def texts(posts: int) -> Iterator[tuple[int, str, str]]:
    """Yield numbers, titles and bodies whose words are spread as in real text: few are everywhere, most are rare."""
    random.seed(7)
    words = sorted({"".join(random.choices(SYLLABLES, k=random.choice((2, 2, 3, 3, 4)))) for _ in range(40_000)})
    random.shuffle(words)
    weights = list(accumulate(1 / rank for rank in range(10, len(words) + 10)))
    special = sorted(set(MISSPELT.values()) - {COMMON, MIDDLING})
    for number in range(posts):
        title = random.choices(words, cum_weights=weights, k=6)
        body = random.choices(words, cum_weights=weights, k=60)
        if number % 5:
            body[number % 60] = COMMON
        if number % 5 == 1:
            body[-1] = FREQUENT
        if number % 50 == 0:
            body[3] = MIDDLING
        if number % 400 == 0:
            title[2] = special[number // 400 % len(special)]
        if number % 1000 == 1:
            title[3] = COMMON if number % 2000 == 1 else MIDDLING
        yield number, " ".join(title).capitalize(), " ".join(body)


def execute(statements: Iterable[str]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


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
    for act in ("against_the_tutorial", "on_sqlite"):  # one process for each database
        subprocess.run([sys.executable, "-c", f"from bench import search; search.{act}()"], check=True)


def against_the_tutorial() -> None:
    with postgresql():
        fill(POSTS // 100)
        small = {word: fastest(partial(ours, word), OFTEN) for word in WORDS}
        fill(POSTS)
        print(
            "\nOurs holds the total, the snippets and the look for misspelt words; `same job` adds its COUNT to the tutorial."
        )
        print(f"{'word':<14}{'tutorial':>12}{'ours':>10}{'ratio':>9}{'same job':>11}")
        for word in reversed(WORDS):
            compare(word)
        for word, before in small.items():
            print(f"{word}: {fastest(partial(ours, word), OFTEN) / before:.1f} x its time at {POSTS // 100:,} posts")
        print(f"\n{'while typing':<14}{'ours':>10}")
        for typed in TYPED:
            print(f"{typed:<14}{fastest(partial(ours_typing, typed), 50):>7.2f} ms")
        print(
            f"\n{'misspelt':<14}{'tutorial':>12}{'ours':>10}{'ratio':>9}   of ten: posts with the word that was meant"
        )
        found = [compare_misspelt(typed, meant) for typed, meant in MISSPELT.items()]
        never_fewer = all(ours >= theirs for theirs, ours in found)
        print("Never fewer than the tutorial." if never_fewer else "FEWER THAN THE TUTORIAL.")


def on_sqlite() -> None:
    with sqlite():
        asked: dict[str, Callable[[], Any]] = {word: partial(ours, word) for word in (*WORDS, *MISSPELT)}
        asked |= {f"{typed}…": partial(ours_typing, typed) for typed in TYPED}
        times = []
        for posts in (POSTS // 100, POSTS):
            fill(posts)
            times.append({name: fastest(act, 30) for name, act in asked.items()})
        print(f"\n{'SQLite':<14}{f'ms at {POSTS // 100:,}':>14}{f'at {POSTS:,}':>14}{'growth':>9}")
        for name, before in times[0].items():
            print(f"{name:<14}{before:>14.2f}{times[1][name]:>14.2f}{times[1][name] / before:>9.1f}")


def compare(word: str) -> None:
    from search.engines import search

    theirs, page_of_theirs = fastest(partial(tutorial, word), 5), fastest(partial(tutorial_page, word), 2)
    mine = fastest(partial(ours, word), OFTEN)
    page = search(word, limit=10)
    total = f"{page.total:,}{' or more' if page.total_capped else ''} matches"
    same = "the" if ours(word) == exact(word) else "NOT the"
    note = f"{same} top ten of ranking all" if page.total <= 500 else "ranked: the newest 500"
    ratios = f"{theirs / mine:>8,.0f}x{page_of_theirs / mine:>10,.0f}x"
    print(f"{word:<14}{theirs:>9.0f} ms{mine:>7.2f} ms{ratios}   {total}, {note}")


def compare_misspelt(typed: str, meant: str) -> tuple[int, int]:
    theirs, mine = fastest(partial(tutorial_misspelt, typed), 4), fastest(partial(ours, typed), 50)
    hits = holding(meant, tutorial_misspelt(typed)), holding(meant, ours(typed))
    print(f"{typed:<14}{theirs:>9.0f} ms{mine:>7.2f} ms{theirs / mine:>8,.0f}x   {hits[0]} and {hits[1]}")
    return hits


if __name__ == "__main__":
    main()
