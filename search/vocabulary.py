"""The words the documents use: which of a visitor's words are misspelt, and what was meant."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, Literal, NamedTuple

from django.db import connection, connections, transaction

from core.caching.routers import read_alias

from .models import Trigram, Word
from .query import Query
from .words import MAX_LENGTH, distance, fold, trigrams

MAX_CORRECTED = 4  # words of one query
SHORTEST_CORRECTED = 4  # letters
SHORTEST_PART = 3
NEIGHBOURS = 60
COMPLETIONS = 20
BATCH = 2000  # words or trigrams of one statement


class Knowledge(NamedTuple):
    """What the vocabulary knows about the words of one query."""

    documents: dict[str, int]  # all words below: how many documents use them, counted up to Word.COUNTED
    completions: dict[str, list[str]]  # begun words: the words that begin so
    better: dict[str, str]  # unknown words: what was probably meant, which may be two words
    joined: frozenset[str] = frozenset()  # words that the query has in two parts


def look_up(query: Query) -> Knowledge:
    """Ask for all words of the query in one statement."""
    whole = dict.fromkeys(map("".join, query.pairs()))
    asked = dict.fromkeys(fold(word) for term in query.wanted for word in term.words) | whole
    begun = [term.single for term in query.wanted if term.is_begun and term.single]
    long_enough = [term.single for term in query.wanted if SHORTEST_CORRECTED <= len(term.single) <= MAX_LENGTH]
    parameters: list[Any] = [*asked]
    parts = [f"SELECT 'known', word, word, documents FROM search_word WHERE word IN ({_marks(asked)})"]
    parts += [_completions(word, parameters) for word in dict.fromkeys(begun)]
    parts += [_neighbours(word, parameters) for word in list(dict.fromkeys(long_enough))[:MAX_CORRECTED]]
    with connections[read_alias("search")].cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), parameters)
        rows = cursor.fetchall()
    known = _understood(rows)
    return known._replace(joined=frozenset(whole) & frozenset(known.documents))


def _completions(word: str, parameters: list[Any]) -> str:
    begins, anything = ("GLOB", "*") if connection.vendor == "sqlite" else ("LIKE", "%")
    parameters += [word, f"{word}{anything}"]
    return (
        f"SELECT * FROM (SELECT 'begun', %s, word, documents FROM search_word WHERE word {begins} %s "
        f"ORDER BY documents DESC, word LIMIT {COMPLETIONS}) completions"
    )


def _neighbours(word: str, parameters: list[Any]) -> str:
    """Add the statement for words that share trigrams with an unknown word, or are it with a letter out or swapped."""
    shared, near = sorted(trigrams(word)), sorted(_one_slip(word).union(*_parts(word)))
    slips = _slips_allowed(word)
    if connection.vendor == "postgresql":
        parameters += [word, word, near, shared, len(word) - slips, len(word) + slips, NEIGHBOURS]
        return "SELECT 'near', %s, word, documents FROM search_near(%s, %s, %s, %s, %s, %s)"
    parameters += [word, *near, word, *shared, len(word) - slips, len(word) + slips, word]
    return (
        f"SELECT 'near', %s, word, documents FROM search_word WHERE word IN ({_marks(near)}) "
        "UNION ALL SELECT * FROM (SELECT 'near', %s, neighbours.word, search_word.documents"
        f" FROM (SELECT word_id AS word FROM search_trigram WHERE trigram IN ({_marks(shared)}) "
        "AND length BETWEEN %s AND %s AND NOT EXISTS (SELECT 1 FROM search_word WHERE word = %s) "
        f"GROUP BY word_id ORDER BY count(*) DESC LIMIT {NEIGHBOURS}) neighbours "
        "JOIN search_word ON search_word.word = neighbours.word) neighbours"
    )


def _marks(values: Sized) -> str:
    return ", ".join(["%s"] * len(values))


def _one_slip(word: str) -> set[str]:
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    shortened = {word[:i] + word[i + 1 :] for i in range(len(word))}
    return swapped | shortened


def _parts(word: str) -> list[tuple[str, str]]:
    """Return the ways in which it may be two words whose space was forgotten."""
    return [(word[:i], word[i:]) for i in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1)]


def _slips_allowed(word: str) -> int:
    return 1 if len(word) < 6 else 2 if len(word) < 12 else 3


def _understood(rows: Iterable[tuple[str, str, str, int]]) -> Knowledge:
    documents: dict[str, int] = {}
    completions: dict[str, list[str]] = {}
    near: dict[str, dict[str, int]] = {}
    for what, typed, word, count in rows:
        if what == "near":
            near.setdefault(typed, {})[word] = count
            continue
        documents[word] = count
        if what == "begun":
            completions.setdefault(typed, []).append(word)
    better = {}
    for typed, counts in near.items():
        if typed not in documents and typed not in completions and (meant := _meant(typed, counts)):
            better[typed] = meant
            documents |= {word: counts[word] for word in meant.split()}
    return Knowledge(documents, completions, better)


def _meant(typed: str, counts: Mapping[str, int]) -> str:
    """Return the nearest word, or two words that are it without the space if no word is one slip away."""
    close = [(distance(typed, word), typed[0] != word[0], -count, word) for word, count in counts.items()]
    slips, _, _, word = min(close)
    parts = [(-min(counts[a], counts[b]), f"{a} {b}") for a, b in _parts(typed) if a in counts and b in counts]
    if parts and slips > 1:
        return min(parts)[1]
    return word if slips <= _slips_allowed(typed) else ""


def count(changes: Mapping[str, int]) -> None:
    """
    Count words in, and out where the number is below zero: how many documents more or fewer use each.

    Called in the transaction that writes the documents. A word that none uses any more is forgotten, as a guess at
    what was meant would tell that it once stood somewhere.
    """
    # In order, so that two writers wait for each other's words instead of deadlocking; words in every document are
    # left alone, so that not every writer waits for every other.
    for words in _batched(sorted(word for word, change in changes.items() if change)):
        usual = Word.objects.select_for_update().filter(word__in=words, documents__lt=Word.COUNTED).order_by("word")
        known = dict(usual.values_list("word", "documents"))
        common = Word.objects.filter(word__in=words, documents__gte=Word.COUNTED)
        everywhere = set(common.values_list("word", flat=True))
        _count([(word, changes[word]) for word in words if changes[word] > 0 and word not in everywhere], "+")
        _spell([word for word in words if changes[word] > 0 and word not in known and word not in everywhere])
        fewer = {word: -changes[word] for word in words if changes[word] < 0 and word in known}
        _count([(word, number) for word, number in fewer.items() if number < known[word]], "-")
        _forget([word for word, number in fewer.items() if number >= known[word]])


def _count(numbers: Sequence[tuple[str, int]], sign: Literal["+", "-"]) -> None:
    if not numbers:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO search_word (word, documents) VALUES {', '.join(['(%s, %s)'] * len(numbers))} "
            f"ON CONFLICT (word) DO UPDATE SET documents = search_word.documents {sign} excluded.documents",
            [value for pair in numbers for value in pair],
        )


def _forget(words: Sequence[str]) -> None:
    if words:
        Trigram.objects.filter(word__in=words).delete()
        Word.objects.filter(word__in=words).delete()


def _spell(new_words: Iterable[str]) -> None:
    spelt = [
        Trigram(trigram=trigram, length=len(word), word_id=word) for word in new_words for trigram in trigrams(word)
    ]
    Trigram.objects.bulk_create(spelt, batch_size=BATCH)


def _batched(words: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(words), BATCH):
        yield words[start : start + BATCH]


def rebuild(counts: Counter[str]) -> None:
    """Replace the vocabulary by freshly counted words."""
    with transaction.atomic():
        Trigram.objects.all().delete()
        Word.objects.all().delete()
        capped = (Word(word=word, documents=min(count, Word.COUNTED)) for word, count in counts.items())
        Word.objects.bulk_create(capped, batch_size=BATCH)
        _spell(counts)
