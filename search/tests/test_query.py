import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query import MAX_TERMS, Query, Term, parse


def terms(text, **options):
    return [
        ("-" if term.is_excluded else "") + " ".join(term.words) + ("*" if term.is_begun else "")
        for term in parse(text, **options).terms
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red vase", ["red", "vase"]),
        ('"red vase" cup', ["red vase", "cup"]),
        ("“red vase” „cup“", ["red vase", "cup"]),
        ('"red vase', ["red vase"]),
        ('""', []),
        ("vase -cup", ["vase", "-cup"]),
        ('vase -"red cup"', ["vase", "-red cup"]),
        ("well-known", ["well known"]),
        ("- --", []),
        ("vas*", ["vas*"]),
        ("*", []),
        ("C++ 5.2", ["C", "5 2"]),
        ("don't", ["don t"]),
        ("snake_case", ["snake case"]),
        ("a\x00b", ["a b"]),
        ("\ud800", []),
        ("e\u0301t\u0301", ["ét́"]),
        ("ﬁn ½", ["fin", "1 2"]),
        ("the who", ["the", "who"]),
        ("the red vase", ["red", "vase"]),
        ("the -who", ["the", "-who"]),
        ("AND OR NOT", ["AND", "OR", "NOT"]),
    ],
)
def test_text_becomes_terms(text, expected):
    assert terms(text) == expected


def test_last_word_is_begun_while_typing():
    assert terms("red va", is_typing=True) == ["red", "va*"]
    assert terms("red va ", is_typing=True) == ["red", "va"]
    assert terms('"red va', is_typing=True) == ["red va*"]
    assert terms('"red va"', is_typing=True) == ["red va"]
    assert terms("th", is_typing=True) == ["th*"]


def test_long_text_is_cut():
    assert terms("a" * 10_000_000) == ["a" * 100]
    assert len(terms("x y " * 50)) == MAX_TERMS


def test_corrected_query_keeps_the_rest():
    query = parse("PYHTON -snake for 'potters'").corrected({"pyhton": "python"})

    assert query.text == "python -snake for 'potters'"
    assert query.wanted == (Term(("python",)), Term(("potters",)))


@given(st.text(max_size=300))
def test_terms_hold_letters_digits_and_marks_only(text):
    query = parse(text)

    assert isinstance(query, Query)
    assert len(query.terms) <= MAX_TERMS
    for term in query.terms:
        for word in term.words:
            assert word
            assert not any(character.isspace() or character in "\"'\\&|!():*<>^%-+" for character in word)
