"""People where only a face and a name stand: rows of values, which cost a third of what objects of the model do."""

from functools import cache
from itertools import starmap
from typing import Any, NamedTuple

from core import sql
from core.caching.versions import keys_of, shown_rows
from core.web.links import path_to

COLUMNS = ("pk", "username", "first_name", "last_name", "photo", "photo_width", "photo_height")


class Face(NamedTuple):
    pk: int
    username: str
    first_name: str
    last_name: str
    photo: str
    photo_width: int | None
    photo_height: int | None
    followers_count: int = 0

    @property
    def display_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.username

    def get_absolute_url(self) -> str:
        return path_to("account:user_detail", self.username)


# Followers who are members still: the few who are not are left out. A join reads all members first, on SQLite.
SOME = """
SELECT id, username, first_name, last_name, photo, photo_width, photo_height, (
    SELECT COUNT(*) FROM account_follow
    WHERE followed_id = person.id AND follower_id NOT IN (SELECT id FROM account_user WHERE NOT is_active)
) FROM account_user AS person WHERE id IN ({ids}) ORDER BY id DESC
"""


def some(ids: str, **values: Any) -> list[Face]:
    """Return the faces of the people whose ids the statement finds (core/sql.py), newest first."""
    return shown_rows(
        "account_user", lambda: list(starmap(Face, sql.rows("account", _statement(ids), **values))), keys_of
    )


@cache
def _statement(ids: str) -> str:
    return SOME.format(ids=ids)
