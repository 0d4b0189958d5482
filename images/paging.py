"""Pages without a count: the board costs one query, however many pictures there are. Only deep pages are counted to."""

from collections.abc import Collection
from dataclasses import dataclass

from core.caching.paging import STEP, Listing, ListPaginator

from .models import Image


@dataclass(frozen=True)
class Page:
    """A page that knows only whether another follows. Shaped like Django's where templates look."""

    object_list: list[Image]
    number: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def next_page_number(self) -> int:
        return self.number + 1

    @property
    def previous_page_number(self) -> int:
        return self.number - 1


def get_page(hidden: Collection[int], typed: str | None, size: int) -> Page:
    """
    Return the page of the board asked for; the first for what is no number, the last for what is past the end.

    `hidden` are the people whose pictures the reader does not want to see or must not.
    """
    number = int(typed) if typed and typed.isdecimal() and len(typed) < 8 else 1
    number = max(number, 1) if typed is None or len(typed) < 8 or not typed.isdecimal() else 10**7
    board, start = _board(hidden), (number - 1) * size
    if start <= STEP and ((found := board.first_rows(start, size + 1)) or number == 1):
        return Page(found[:size], number, has_next=len(found) > size)
    deep = ListPaginator(board, board.count(), size).get_page(number)
    return Page(list(deep.object_list), deep.number, has_next=deep.has_next())


def _board(hidden: Collection[int]) -> Listing:
    rows = Image.objects.public().exclude(owner__in=hidden)
    return Listing(("board", frozenset(hidden)), rows, ["-pk"], lambda images: images.tiles().order_by("-pk"))
