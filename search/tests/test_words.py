import pytest

from search.words import distance, fold, trigrams, vocabulary_of, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red-vase 5.2", ["red", "vase", "5", "2"]),
        ("Café, हिन्दी", ["Café", "हिन्दी"]),
        ("x \u0301 e\u0301", ["x", "e\u0301"]),  # a mark alone belongs to no letter
    ],
)
def test_a_text_is_split_into_letters_digits_and_their_marks(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("word", "folded"), [("VASE", "vase"), ("Café", "cafe"), ("Straße", "strasse"), ("МОСКВА", "москва")]
)
def test_case_and_accents_are_folded_away(word, folded):
    assert fold(word) == folded


def test_the_vocabulary_takes_neither_numbers_nor_endless_words():
    assert vocabulary_of(["Vase mp3", f"2026 {'x' * 30} {'y' * 31}"]) == {"vase", "x" * 30}


def test_a_word_is_spelt_by_three_letters_at_a_time_with_its_edges():
    assert trigrams("vase") == {"  v", " va", "vas", "ase", "se "}


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("vase", "vase", 0),
        ("", "vase", 4),
        ("vase", "", 4),
        ("vase", "vase!", 1),  # missing
        ("vasse", "vase", 1),  # extra
        ("vaze", "vase", 1),  # wrong
        ("avse", "vase", 1),  # swapped: at the beginning,
        ("vsae", "vase", 1),  # in the middle,
        ("vaes", "vase", 1),  # at the end
        ("vsea", "vase", 2),
        ("aaa", "a", 2),
        ("kitten", "sitting", 3),
        ("pyhtno", "python", 2),
    ],
)
def test_slips_between_two_words_are_counted(one, other, slips):
    assert distance(one, other) == distance(other, one) == slips
