"""What of a member is kept by this app, by Django and by social-auth (archive/personal_data.py)."""

from django.contrib.admin.models import LogEntry
from django.db.models import Q
from social_django.models import UserSocialAuth

from archive.personal_data import register
from content.pictures import hide

from .models import Follow, MuteOrBlock, RecoveryCode, SecondFactor, Session, User


def nothing(user: User) -> None:
    """Keep the rows: they say what was done to the shop's data, or are emptied by leaving.leave itself."""


def hide_photo(user: User) -> None:
    user.photo = hide(user.photo.name or "")
    user.save(update_fields=["photo"])


register(
    User,
    lambda user: User.objects.filter(pk=user.pk),
    erase=nothing,
    hide=hide_photo,
    without=("password",),
    files=lambda user: [user.photo.name],
)
register(
    Follow,
    lambda user: user.follows.all(),
    erase=lambda user: Follow.objects.filter(Q(follower=user) | Q(followed=user)).delete(),
)
register(
    MuteOrBlock,
    lambda user: user.mutes_and_blocks.all(),
    erase=lambda user: MuteOrBlock.objects.filter(Q(owner=user) | Q(other=user)).delete(),
)
register(
    Session,
    lambda user: user.sessions.all(),
    erase=lambda user: user.sessions.all().delete(),
    without=("session_key", "session_data"),
)
register(
    SecondFactor,
    lambda user: SecondFactor.objects.filter(user=user),
    erase=lambda user: SecondFactor.objects.filter(user=user).delete(),
    without=("secret", "last_step"),
)
register(
    RecoveryCode,
    lambda user: user.recovery_codes.all(),
    erase=lambda user: user.recovery_codes.all().delete(),
    without=("digest",),
)
register(
    UserSocialAuth,
    lambda user: UserSocialAuth.objects.filter(user=user),
    erase=lambda user: UserSocialAuth.objects.filter(user=user).delete(),
    without=("extra_data",),
)
register(LogEntry, lambda user: LogEntry.objects.filter(user=user), erase=nothing)
