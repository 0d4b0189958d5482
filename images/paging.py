"""Pages without a count: the board costs one query, however many pictures there are. Only deep pages are counted to."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache

from account.models import User
from core.caching.paging import STEP, Listing, ListPaginator
from core.people import Viewer

from .models import Image, ImageQuerySet
from .tiles import Tile


@dataclass(frozen=True)
class Page:
    """A page that knows only whether another follows. Shaped like Django's where templates look."""

    object_list: list[Tile]
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


def get_page(board: Listing, typed: str | None, size: int) -> Page:
    """Return the page of the board asked for; the first for what is no number, the last for what is past the end."""
    number = int(typed) if typed and typed.isdecimal() and len(typed) < 8 else 1
    number = max(number, 1) if typed is None or len(typed) < 8 or not typed.isdecimal() else 10**7
    start = (number - 1) * size
    if start <= STEP and ((found := board.first_rows(start, size + 1)) or number == 1):
        return Page(found[:size], number, has_next=len(found) > size)
    deep = ListPaginator(board, board.count(), size).get_page(number)
    return Page(list(deep.object_list), deep.number, has_next=deep.has_next())


def board(viewer: Viewer) -> Listing:
    """Return what everybody has pinned, but those whose pictures the viewer does not want to see or must not."""
    return _board(frozenset(viewer.hidden_ids() if viewer.is_authenticated else ()))


@lru_cache(maxsize=256)  # to put a query set together takes longer than to find it again
def _board(hidden: frozenset[int]) -> Listing:
    rows = Image.objects.public()
    return _listing(("board", hidden), rows.exclude(owner__in=hidden) if hidden else rows)


def board_of(owner: User, viewer: Viewer) -> Listing:
    """Return the pictures of one whose page the viewer may open: their own are all, of others the public ones."""
    rows, is_own = Image.objects.ready().of(owner.pk), viewer.pk == owner.pk
    if viewer.is_authenticated and owner.pk in viewer.out_of_reach_ids():
        rows = rows.none()
    return _listing(("board of", owner.pk, viewer.pk), rows if is_own else rows.filter(is_private=False))


def _listing(key: Hashable, rows: ImageQuerySet) -> Listing:
    return Listing(key, rows, ["-pk"], lambda images: images.order_by("-pk").tiles())
