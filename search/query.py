"""
The visitor's words, understood by us: words, "a phrase", -without, begin* .

Engines get the parts, never the text, so that no character a visitor types reaches an engine's own query language.
"""

import re
import unicodedata
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from .unspaced import is_letter, paired
from .words import STOP_WORDS, fold, words

MAX_CHARACTERS = 100
MAX_TERMS = 12

_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_CHUNK = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<plain>[^\s"]+))')


@dataclass(frozen=True)
class Term:
    """One word, or several in this order. `also` holds single words that do as well as it."""

    words: tuple[str, ...]
    is_excluded: bool = False
    is_begun: bool = False
    also: tuple[str, ...] = ()

    @property
    def single(self) -> str:
        """The folded word where the term is one word that may be misspelt, else nothing."""
        return fold(self.words[0]) if len(self.words) == 1 and not self.is_excluded else ""


@dataclass(frozen=True)
class Query:
    text: str
    terms: tuple[Term, ...]

    @property
    def wanted(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if not term.is_excluded)

    @property
    def unwanted(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if term.is_excluded)

    def completed(self, completions: Mapping[str, Sequence[str]], usual: Container[str]) -> "Query":
        """
        Return the query whose begun words also stand for the given whole ones, which engines can stem.

        The `usual` ones stand for nothing else: an engine would read all words that begin so.
        """
        terms = (
            replace(term, also=tuple(completions[term.single]), is_begun=term.single not in usual)
            if term.is_begun and term.single in completions
            else term
            for term in self.terms
        )
        return Query(self.text, tuple(terms))

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield neighbours, folded, that may be one word taken apart: "letter press", "letter-press"."""
        for term in self.wanted:
            if len(term.words) == 2 and not term.is_begun:
                yield fold(term.words[0]), fold(term.words[1])
        for term, following in pairwise(self.terms):
            if term.single and following.single and not term.is_begun:
                yield term.single, following.single

    def corrected(self, better: dict[str, str], joined: Collection[str] = ()) -> "Query":
        """Return the query with misspelt words exchanged and words taken apart put together, in its terms and its text."""
        text = self.text
        for pair in self.pairs():
            if "".join(pair) in joined:
                text = re.sub(r"[\W_]+".join(map(re.escape, pair)), "".join(pair), text, flags=re.IGNORECASE)
        text = re.sub(r"[^\W_]+", lambda match: better.get(fold(match[0]), match[0]), text)
        terms = [
            replace(term, words=tuple(better[term.single].split()), is_begun=False) if term.single in better else term
            for term in _together(self.terms, joined)
        ]
        return Query(text, tuple(terms))


def _together(terms: Iterable[Term], joined: Collection[str]) -> list[Term]:
    put: list[Term] = []
    for term in terms:
        whole = "".join(map(fold, term.words))
        if len(term.words) == 2 and not term.is_excluded and whole in joined:
            put.append(replace(term, words=(whole,)))
        elif put and term.single and put[-1].single and put[-1].single + term.single in joined:
            put[-1] = replace(term, words=(put[-1].single + term.single,))
        else:
            put.append(term)
    return put


def parse(text: str, *, is_typing: bool = False) -> Query:
    """Understand any text whatsoever; `is_typing` takes the last word as begun unless a space follows it."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).translate(_QUOTES)
    terms = [term for match in _CHUNK.finditer(text) if (term := _term(match))][:MAX_TERMS]
    if is_typing and terms and text[-1:].isalnum():
        terms[-1] = replace(terms[-1], is_begun=True)
    return Query(" ".join(text.split()), _without_stop_words(terms))


def _term(match: re.Match[str]) -> Term | None:
    found = tuple(words(paired(match["phrase"] if match["plain"] is None else match["plain"])))
    if not found:
        return None
    is_begun = (match["plain"] or "").endswith("*")
    if is_letter(found[-1]):  # what follows it in the text is not known: it is in the pair before, or begins one
        found, is_begun = (found[:-1], is_begun) if _is_paired(found) else (found, True)
    return Term(found, is_excluded=bool(match["minus"]), is_begun=is_begun)


def _is_paired(found: tuple[str, ...]) -> bool:
    return len(found) > 1 and found[-2].endswith(found[-1]) and is_letter(found[-2].removesuffix(found[-1]))


def _without_stop_words(terms: list[Term]) -> tuple[Term, ...]:
    kept = [term for term in terms if term.is_begun or term.single not in STOP_WORDS]
    return tuple(kept if any(not term.is_excluded for term in kept) else terms)
