"""Who may come in: by password under username or e-mail address in any letter case, or by Google."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from social_core.backends.google import GoogleOAuth2
from social_core.backends.oauth import BaseOAuth2PKCE
from social_core.exceptions import AuthResponseError

from . import tries
from .models import User

_known: ContextVar[User | None] = ContextVar("known", default=None)


@contextmanager
def known(member: User | None) -> Iterator[None]:
    """Let the backends take this row, read a moment ago, for their member instead of asking for it again."""
    token = _known.set(member)
    try:
        yield
    finally:
        _known.reset(token)


class UsernameOrEmailBackend(ModelBackend):
    """A deactivated member is out at once: get_user looks at is_active on each request."""

    def get_user(self, user_id: Any) -> User | None:
        member = _known_as(user_id)
        if member is None:
            return super().get_user(user_id)
        return member if self.user_can_authenticate(member) else None

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return whose name and password these are; raises TooOften, by whatever page or call somebody comes."""
        if not username or password is None:
            return None
        user = User.objects.named(username).first()
        is_right = tries.check_login(request, user, username, password)
        return user if user and is_right and self.user_can_authenticate(user) else None


class GoogleBackend(BaseOAuth2PKCE, GoogleOAuth2):
    """Google's login with proof key; a deactivated member is out at once here too."""

    def get_user(self, user_id: int) -> User | None:
        user = _known_as(user_id) or super().get_user(user_id)
        return user if user is not None and user.is_active else None

    def get_user_id(self, details: dict[str, Any], response: dict[str, Any]) -> str:
        subject = response.get("sub")
        if not subject or not isinstance(subject, str):
            raise AuthResponseError(self, "no subject")
        return subject

    def get_json(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        answer = super().get_json(*args, **kwargs)
        if not isinstance(answer, dict):  # social-core would fall over it
            raise AuthResponseError(self, "not a JSON object")
        return answer


def _known_as(user_id: Any) -> User | None:
    member = _known.get()
    return member if member is not None and member.pk == user_id else None
