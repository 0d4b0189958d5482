"""Pages without a count: the board costs one query, however many pictures there are. Only deep pages are counted to."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from account.models import User
from core.caching.paging import STEP, Listing, ListPaginator, LongList, StatementListing
from core.people import Viewer

from . import tiles
from .models import Image, ImageQuerySet
from .tiles import Tile

NEWEST_FIRST = ["-id", "-pk"]
READY = "SELECT id FROM images_image WHERE status = 'ready'"
PUBLIC = f"{READY} AND NOT is_private AND owner_id NOT IN (SELECT id FROM account_user WHERE NOT is_active)"
OF_OWNER = f"{READY} AND owner_id = %(owner)s"
NONE = f"{READY} AND id IS NULL"


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


def get_page(board: LongList, typed: str | None, size: int) -> Page:
    """Return the page of the board asked for; the first for what is no number, the last for what is past the end."""
    number = int(typed) if typed and typed.isdecimal() and len(typed) < 8 else 1
    number = max(number, 1) if typed is None or len(typed) < 8 or not typed.isdecimal() else 10**7
    start = (number - 1) * size
    if start <= STEP and ((found := board.first_rows(start, size + 1)) or number == 1):
        return Page(found[:size], number, has_next=len(found) > size)
    deep = ListPaginator(board, board.count(), size).get_page(number)
    return Page(list(deep.object_list), deep.number, has_next=deep.has_next())


def board(viewer: Viewer) -> LongList:
    """Return what everybody has pinned, but those whose pictures the viewer does not want to see or must not."""
    hidden = frozenset(viewer.hidden_ids() if viewer.is_authenticated else ())
    if not hidden:
        return _read("board", Image.objects.public, PUBLIC)
    rows = Image.objects.public().exclude(owner__in=hidden)
    return Listing(("board", hidden), rows, NEWEST_FIRST, lambda images: images.order_by("-pk").tiles())


def board_of(owner: User, viewer: Viewer) -> LongList:
    """Return the pictures of one whose page the viewer may open: their own are all, of others the public ones."""
    ids = OF_OWNER if viewer.pk == owner.pk else f"{OF_OWNER} AND NOT is_private"
    if viewer.is_authenticated and owner.pk in viewer.out_of_reach_ids():
        ids = NONE
    rows = partial(_of_owner, owner.pk, ids)
    return _read(("board of", owner.pk, ids), rows, ids, **({"owner": owner.pk} if ids != NONE else {}))


def _of_owner(owner_id: int, ids: str) -> ImageQuerySet:
    rows = Image.objects.ready().of(owner_id)
    if ids == NONE:
        return rows.none()
    return rows if ids == OF_OWNER else rows.filter(is_private=False)


def _read(key: Hashable, rows: Callable[[], ImageQuerySet], ids: str, **values: int) -> StatementListing:
    return StatementListing(key, rows, NEWEST_FIRST, ids, ("id", "id"), tiles.some, values)
