"""What the board shows of a picture: a row of values, which costs a third of what an object of the model does."""

from typing import NamedTuple

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
