"""A post where only its title stands and leads to it: beside lists, around other posts."""

from datetime import date
from typing import Any, NamedTuple

from core import sql
from core.web.links import path_to


class Line(NamedTuple):
    """`number` is how many comments or views brought it there."""

    title: str
    slug: str
    publish_on: date
    number: int = 0

    def get_absolute_url(self) -> str:
        on = self.publish_on
        return path_to("blog:post_detail", on.year, on.month, on.day, self.slug)


def line(title: str, slug: str, publish_on: Any, number: int | None = 0) -> Line:
    """Return what a row says."""
    return Line(title, slug, sql.day(publish_on), number or 0)
