"""What the board shows of a picture: a row of values, which costs a third of what an object of the model does."""

from functools import cache
from itertools import starmap
from typing import Any, NamedTuple

from core import sql
from core.caching.versions import keys_of, shown_rows
from core.web.links import path_to

COLUMNS = ("pk", "title", "slug", "alt", "file", "width", "height", "total_likes")


class Tile(NamedTuple):
    pk: int
    title: str
    slug: str
    alt: str
    file: str
    width: int | None
    height: int | None
    total_likes: int

    def get_absolute_url(self) -> str:
        return path_to("images:image_detail", self.pk, self.slug)

    @property
    def alternative_text(self) -> str:
        return self.alt or self.title


SOME = """
SELECT id, title, slug, alt, file, width, height, total_likes FROM images_image WHERE id IN ({ids}) ORDER BY id DESC
"""


def some(ids: str, **values: Any) -> list[Tile]:
    """Return the tiles of the pictures whose ids the statement finds (core/sql.py), newest first."""
    return shown_rows(
        "images_image", lambda: list(starmap(Tile, sql.rows("images", _statement(ids), **values))), keys_of
    )


@cache
def _statement(ids: str) -> str:
    return SOME.format(ids=ids)
