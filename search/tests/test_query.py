import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query import Query, Term, parse


def terms_of(query):
    return [
        ("-" if term.is_excluded else "") + " ".join(term.words) + ("*" if term.is_begun else "")
        for term in query.terms
    ]


def terms(text, **options):
    return terms_of(parse(text, **options))


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
    assert terms("red blue v", is_typing=True) == ["red", "blue", "v*"]
    assert terms("red va.", is_typing=True) == ["red", "va"]


def test_long_text_is_cut():
    assert terms("a" * 10_000_000) == ["a" * 100]
    assert len(terms("x y " * 50)) == 12


def test_corrected_query_keeps_the_rest():
    query = parse("PYHTON -snake for 'potters'").corrected({"pyhton": "python"})

    assert query.text == "python -snake for 'potters'"
    assert query.wanted == (Term(("python",)), Term(("potters",)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pyhton*", [Term(("python",))]),
        ("-pyhton", [Term(("pyhton",), is_excluded=True)]),
        ('"pyhton snake"', [Term(("pyhton", "snake"))]),
        ("thankyou", [Term(("thank", "you"))]),
    ],
)
def test_only_a_word_that_stands_alone_is_corrected(text, expected):
    assert parse(text).corrected({"pyhton": "python", "thankyou": "thank you"}).terms == tuple(expected)


LETTERPRESS = ("letter", "press")


@pytest.mark.parametrize(
    ("text", "pairs", "joined"),
    [
        ("letter press", [LETTERPRESS], ["letterpress"]),
        ("Létter-PRESS", [LETTERPRESS], ["letterpress"]),
        ("red letter press", [("red", "letter"), LETTERPRESS], ["red", "letterpress"]),
        ("letter press red", [LETTERPRESS, ("press", "red")], ["letterpress", "red"]),
        ('"letter press" red', [LETTERPRESS], ["letterpress", "red"]),
        ("letter press*", [LETTERPRESS], ["letterpress*"]),
        ("letter-press-red", [], ["letter press red"]),
        ("letter -press", [], ["letter", "-press"]),
        ("-letter press", [], ["-letter", "press"]),
        ('-"letter press"', [], ["-letter press"]),
    ],
)
def test_neighbours_may_be_one_word_taken_apart(text, pairs, joined):
    query = parse(text)

    assert list(query.pairs()) == pairs
    assert terms_of(query.corrected({}, {"letterpress"})) == joined


@pytest.mark.parametrize("text", ["letter-press*", "letter* press"])
def test_a_word_that_is_only_begun_is_no_part_of_another(text):
    assert list(parse(text).pairs()) == []


def test_text_shows_the_words_put_together():
    assert parse("Red Letter-Press, cheap").corrected({}, {"letterpress"}).text == "Red letterpress, cheap"
    assert parse("red letter press").corrected({}, {"redletter"}).text == "redletter press"


@given(st.text(max_size=300))
def test_terms_hold_letters_digits_and_marks_only(text):
    query = parse(text)

    assert isinstance(query, Query)
    assert len(query.terms) <= 12
    for term in query.terms:
        for word in term.words:
            assert word
            assert not any(character.isspace() or character in "\"'\\&|!():*<>^%-+" for character in word)
