"""Who looks at a page, as far as the apps below account know people. Somebody logged in is an account.models.User."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:  # this module is read by the apps' configurations, before there are models
    from django.contrib.auth.models import AnonymousUser


class Member(Protocol):
    """Somebody who is logged in, or whose account is at stake."""

    email: str
    email_proven_at: datetime | None
    is_staff: bool

    @property
    def pk(self) -> int: ...

    @property
    def is_authenticated(self) -> Literal[True]: ...

    def get_username(self) -> str: ...

    def get_full_name(self) -> str: ...

    def hidden_ids(self) -> set[int]: ...

    def out_of_reach_ids(self) -> set[int]: ...


Viewer: TypeAlias = "Member | AnonymousUser"
