"""What search makes of a word that no document has: which word was meant, and which it never guesses."""

from collections import Counter
from unittest import mock

from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from search import vocabulary
from search.models import Trigram, Word
from search.query import parse
from search.vocabulary import count, look_up, rebuild


def meant(text: str) -> dict[str, str]:
    return look_up(parse(text)).better


class MeantTests(TestCase):
    def assert_meant(self, known: dict[str, int], cases: dict[str, str]) -> None:
        rebuild(Counter(known))
        for typed, word in cases.items():
            with self.subTest(typed=typed):
                assert meant(typed) == ({typed: word} if word else {})

    def test_long_words_may_have_more_slips(self):
        for word, slips in [("table", 1), ("garden", 2), ("letterpress", 2), ("typographers", 3)]:
            wrong, worse = word[:-slips] + "xyzq"[:slips], word[: -slips - 1] + "xyzq"[: slips + 1]
            self.assert_meant({word: 1}, {wrong: word, worse: ""})

    def test_letters_too_many_are_slips_too(self):
        self.assert_meant({"garden": 1}, {"gaardden": "garden", "gaarddeen": ""})

    def test_words_of_four_to_thirty_letters_are_corrected(self):
        self.assert_meant({"vase": 1, "cup": 1}, {"vasd": "vase", "cyp": "", "cuup": "cup", "vas": ""})
        longest = "abcdefghijklmnopqrstuvwxyzabcd"
        self.assert_meant({longest: 1}, {f"{longest[:-1]}x": longest, f"{longest}x": ""})

    def test_four_words_of_a_query_are_corrected(self):
        rebuild(Counter(["python", "ceramics", "marmalade", "zanzibar", "garden"]))

        assert list(meant("pyhton cermaics marmelade zanzibra gadren")) == [
            "pyhton",
            "cermaics",
            "marmelade",
            "zanzibra",
        ]

    def test_of_words_as_near_the_one_with_the_same_first_letter_then_the_usual_one_is_meant(self):
        self.assert_meant({"cane": 9, "sane": 9, "rank": 1}, {"rane": "rank"})
        self.assert_meant({"rank": 1, "rand": 2, "rang": 2}, {"rane": "rand"})
        self.assert_meant({"pythons": 9, "pytho": 1}, {"pyyho": "pytho"})

    def test_a_forgotten_space_is_put_between_two_words_of_three_letters_or_more(self):
        self.assert_meant(
            {"oak": 1, "ash": 1, "bench": 1, "my": 1},
            {
                "oakash": "oak ash",
                "oakbench": "oak bench",
                "benchoak": "bench oak",
                "oakmy": "",
                "myoak": "",
                "oakzzz": "",
            },
        )

    def test_of_two_ways_to_part_a_word_the_one_whose_rarer_half_is_more_usual_is_meant(self):
        self.assert_meant({"car": 9, "toons": 1, "cart": 2, "oons": 2}, {"cartoons": "cart oons"})
        self.assert_meant({"car": 2, "toons": 2, "cart": 1, "oons": 9}, {"cartoons": "car toons"})

    def test_a_word_one_slip_away_is_likelier_than_two_words_but_one_two_slips_away_is_not(self):
        words = {"oak": 5, "ash": 5}
        self.assert_meant({**words, "oakish": 1}, {"oakash": "oakish"})
        self.assert_meant({**words, "oakisk": 1}, {"oakash": "oak ash"})

    def test_one_slip_is_known_however_many_words_look_alike(self):
        """Only so many of the words that share letters are looked at; here, none."""
        with mock.patch.object(vocabulary, "NEIGHBOURS", 0):
            self.assert_meant({"zanzibar": 1}, {"zanzibxx": ""})
            swapped = ["aznzibar", "znazibar", "zaznibar", "zanizbar", "zanzbiar", "zanziabr", "zanzibra"]
            longer = ["zanzibar"[:place] + "x" + "zanzibar"[place:] for place in range(9)]
            self.assert_meant({"zanzibar": 1}, dict.fromkeys([*swapped, *longer], "zanzibar"))

    def test_what_a_known_word_begins_with_is_not_corrected_while_it_is_typed(self):
        self.assert_meant({"running": 1, "rung": 1}, {"runn": "rung"})

        assert meant("runn*") == {}
        assert look_up(parse("runn*")).completions == {"runn": ["running"]}
        assert look_up(parse("runn rung")).completions == {}


class KnownTests(TestCase):
    def test_parts_are_joined_only_to_a_word_there_is(self):
        rebuild(Counter(["letterpress", "red", "vase"]))

        assert look_up(parse("letter press")).joined == {"letterpress"}
        assert look_up(parse("red vase")).joined == set()

    def test_a_begun_word_stands_for_the_twenty_most_usual_that_begin_so(self):
        words = {f"vase{letter}": 1 for letter in "zyxwvutsrqponmlkjihgfedcb"}
        rebuild(Counter({**words, "vaseline": 2, "vas": 3}))

        completions = look_up(parse("vas*")).completions["vas"]

        assert completions == ["vas", "vaseline", *(f"vase{letter}" for letter in "bcdefghijklmnopqrs")]

    def test_a_begun_word_is_looked_up_on_an_index(self):
        rebuild(Counter(["vase"]))
        with CaptureQueriesContext(connection) as asked:
            look_up(parse("vas*"))

        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")
            explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
            cursor.execute(f"{explain} {asked[0]['sql']}")
            plan = str(cursor.fetchall())

        assert "(word>? AND word<?)" in plan or "Index Cond: (((word)::text ~>=~" in plan, plan


class CountTests(TestCase):
    def count(self, **changes: int) -> None:
        with transaction.atomic():
            count(changes)

    def counted(self) -> dict[str, int]:
        return dict(Word.objects.values_list("word", "documents"))

    def test_documents_are_counted_to_a_thousand(self):
        rebuild(Counter({"vase": 999, "cup": 6000}))
        for _ in range(3):
            self.count(vase=1, cup=1)

        assert self.counted() == {"vase": 1000, "cup": 1000}

    def test_a_word_is_spelt_once_however_often_it_is_counted(self):
        for _ in range(2):
            self.count(vase=1)
        Word.objects.update(documents=5000)
        self.count(vase=1)

        assert Trigram.objects.count() == 5

    def test_a_count_that_has_drifted_ends_with_the_word_not_below_zero(self):
        self.count(vase=1, cup=3)

        self.count(vase=-2, cup=-2, bowl=-1)

        assert self.counted() == {"cup": 1}
        assert not Trigram.objects.filter(word_id="vase").exists()

    def test_a_long_text_is_counted_to_its_last_word(self):
        letters = "abcdefghijklm"
        words = {f"{a}{b}{c}": 1 for a in letters for b in letters for c in letters}

        self.count(**words)

        assert self.counted() == words
        self.count(**dict.fromkeys(words, -1))
        assert self.counted() == {}
