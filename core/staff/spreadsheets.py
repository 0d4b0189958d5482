"""
CSV for spreadsheets: streamed, so that 100,000 rows need no memory, and safe to open.

A spreadsheet runs a cell that begins like a formula, and a person may call themselves =HYPERLINK(...). Such texts get
an apostrophe in front (OWASP, "CSV Injection"); take one away to get back what was typed. Numbers stay numbers.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

# ASCII and full-width forms, which a spreadsheet reads alike; the apostrophe itself, so that taking one away is right.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠", "'")  # noqa: RUF001
CHUNK = 1000

Row = list[Any]


def safe(value: Any) -> Any:
    """Return the cell as a spreadsheet may have it."""
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{value}" if value.lstrip(" ").startswith(DANGEROUS) or value.startswith(DANGEROUS) else value


class _Pass:
    """A file that gives back what is written to it, so that csv can write into a stream."""

    def write(self, text: str) -> str:
        return text


def stream(columns: list[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield the file in pieces of many rows; it begins with the BOM by which Excel knows UTF-8."""
    write: Callable[[Row], str] = csv.writer(_Pass(), quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow
    yield "\ufeff" + write(columns)
    lines = (write([safe(cell) for cell in row]) for row in rows)
    while piece := "".join(islice(lines, CHUNK)):
        yield piece


def csv_response(name: str, columns: list[str], rows: Iterable[Row]) -> StreamingHttpResponse:
    """Answer with the file `<name>-<today>.csv`."""
    response = StreamingHttpResponse(stream(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{timezone.localdate()}.csv"'
    return response
