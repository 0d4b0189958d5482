"""People where only a face and a name stand: rows of values, which cost a third of what objects of the model do."""

from typing import NamedTuple

from core.web.links import path_to

COLUMNS = ("username", "first_name", "last_name", "photo", "photo_width", "photo_height")


class Face(NamedTuple):
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
