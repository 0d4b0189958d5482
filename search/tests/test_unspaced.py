from unicodedata import normalize

import pytest
from django.test import TestCase
from hypothesis import given
from hypothesis import strategies as st

from search.engines import search
from search.engines.markers import BEGIN, END
from search.models import Document
from search.tests.factories import make_document
from search.unspaced import SEPARATOR, is_letter, paired, put_together


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("東京都", "|東京|京都|都|"),
        ("茶", "|茶|"),
        ("iPhone手机max", "iPhone|手机|机|max"),
        ("ที่ดิน", "|ที่ดิ|ดิน|น|"),  # marks stay with their letter
        ("がくせい", "|がく|くせ|せい|い|"),
        ("コーヒー", "|コー|ーヒ|ヒー|ー|"),
        ("한국어 café vase", "한국어 café vase"),  # have spaces
    ],
)
def test_letters_are_written_in_pairs(text, pairs):
    assert paired(text).replace(SEPARATOR, "|") == pairs


@given(st.text(alphabet=st.sampled_from([*"東京都が茶ーทีดิ่ é,a1", SEPARATOR])))
def test_what_is_paired_can_be_put_together_again(text):
    assert put_together(paired(text)) == normalize("NFC", text.replace(SEPARATOR, ""))


@pytest.mark.parametrize(
    ("marked", "shown"),
    [
        ("[東京]|[京都]|都庁|庁", "[東京都]庁"),  # each pair is marked by PostgreSQL,
        ("東京|[京都|都庁]|庁", "東[京都庁]"),  # the whole phrase by SQLite
        ("京|[京都]|都", "[京都]"),  # a piece of a text
        ("|[手机]|机|max", "[手机]max"),
    ],
)
def test_matches_are_marked_as_one(marked, shown):
    marked = marked.translate({ord("["): BEGIN, ord("]"): END, ord("|"): SEPARATOR})

    assert put_together(marked).replace(BEGIN, "[").replace(END, "]") == shown


def test_a_letter_is_one_with_its_marks():
    assert is_letter("茶")
    assert is_letter("ที่")
    assert not is_letter("お茶")
    assert not is_letter("a")


class FindingTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        for title, body in [
            ("東京都庁の建築", "展望室からは富士山が見えることもあります。"),
            ("京都の茶碗", "手作りの陶器を、窯元から直接お届けします。"),
            ("苹果手机壳的制作方法", "我们用皮革和棉线手工制作。"),
            ("การทำเครื่องปั้นดินเผา", "เราใช้ดินเหนียวจากเชียงใหม่"),
            ("Notebook", "紙はiPhone12と同じ大きさです。"),
        ]:
            make_document(title, body)

    def found(self, text, **options):
        ids = [hit.object_id for hit in search(text, **options).hits]
        return [put_together(document.title) for pk in ids for document in Document.objects.filter(object_id=pk)]

    def test_words_inside_of_a_run_are_found(self):
        for text, title in [
            ("建築", "東京都庁の建築"),
            ("東京都", "東京都庁の建築"),
            ("富士山", "東京都庁の建築"),
            ("陶器", "京都の茶碗"),
            ("手机", "苹果手机壳的制作方法"),
            ("皮革", "苹果手机壳的制作方法"),
            ("手工制作", "苹果手机壳的制作方法"),
            ("ดินเผา", "การทำเครื่องปั้นดินเผา"),
            ("เชียงใหม่", "การทำเครื่องปั้นดินเผา"),
            ("iphone12", "Notebook"),
            ("iPhone12と", "Notebook"),
        ]:
            with self.subTest(text=text):
                assert self.found(text) == [title]

    def test_a_single_letter_is_found_wherever_it_stands(self):
        assert self.found("茶") == ["京都の茶碗"]
        assert self.found("碗") == ["京都の茶碗"]
        assert self.found("紙") == ["Notebook"]

    def test_letters_in_another_order_or_apart_are_another_word(self):
        for text in ("京東", "庁都", "東都", "苹手机", "ふし山", "ดนเผา"):
            with self.subTest(text=text):
                assert self.found(text) == []

    def test_words_phrases_and_exclusions_go_together(self):
        assert self.found("京都") == ["京都の茶碗", "東京都庁の建築"]
        assert self.found("京都 陶器") == ["京都の茶碗"]
        assert self.found("京都 -茶碗") == ["東京都庁の建築"]
        assert self.found('"窯元から直接"') == ["京都の茶碗"]
        assert self.found("展望*") == ["東京都庁の建築"]
        assert self.found("展", is_typing=True) == self.found("展望", is_typing=True) == ["東京都庁の建築"]

    def test_matches_are_shown_as_they_were_written(self):
        hit = search("展望室").hits[0]

        assert hit.title == "東京都庁の建築"
        assert hit.snippet.startswith("<mark>展望室</mark>からは富士山が見え")
        assert search("建築").hits[0].title == "東京都庁の<mark>建築</mark>"
        assert search("เชียงใหม่").hits[0].snippet.endswith("ดินเหนียวจาก<mark>เชียงใหม่</mark>")

    def test_a_word_deep_in_a_long_text_is_shown(self):
        make_document("長い", "これは普通の文章です。" * 800 + "灯台が光る。" + "さらに文章が続きます。" * 200)

        snippet = search("灯台").hits[0].snippet

        assert "<mark>灯台</mark>が光る" in snippet
        assert SEPARATOR not in snippet
