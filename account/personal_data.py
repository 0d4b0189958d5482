"""What of a member is kept by this app, by Django and by social-auth (archive/personal_data.py)."""

from django.contrib.admin.models import LogEntry
from django.db.models import Q
from social_django.models import UserSocialAuth

from archive.personal_data import register
from content.pictures import hide
from core.people import Member

from .models import Follow, MuteOrBlock, RecoveryCode, SecondFactor, Session, User


def nothing(member: Member) -> None:
    """Keep the rows: they say what was done to the shop's data, or are emptied by leaving.leave itself."""


def hide_photo(member: Member) -> None:
    user = User.objects.get(pk=member.pk)
    user.photo = hide(user.photo.name or "")
    user.save(update_fields=["photo"])


register(
    User,
    lambda member: User.objects.filter(pk=member.pk),
    erase=nothing,
    hide=hide_photo,
    without=("password",),
    files=lambda row: [row.photo.name],
)
register(
    Follow,
    lambda member: Follow.objects.filter(follower=member.pk),
    erase=lambda member: Follow.objects.filter(Q(follower=member.pk) | Q(followed=member.pk)).delete(),
)
register(
    MuteOrBlock,
    lambda member: MuteOrBlock.objects.filter(owner=member.pk),
    erase=lambda member: MuteOrBlock.objects.filter(Q(owner=member.pk) | Q(other=member.pk)).delete(),
)
register(
    Session,
    lambda member: Session.objects.filter(member=member.pk),
    erase=lambda member: Session.objects.filter(member=member.pk).delete(),
    without=("session_key", "session_data"),
)
register(
    SecondFactor,
    lambda member: SecondFactor.objects.filter(user=member.pk),
    erase=lambda member: SecondFactor.objects.filter(user=member.pk).delete(),
    without=("secret", "last_step"),
)
register(
    RecoveryCode,
    lambda member: RecoveryCode.objects.filter(user=member.pk),
    erase=lambda member: RecoveryCode.objects.filter(user=member.pk).delete(),
    without=("digest",),
)
register(
    UserSocialAuth,
    lambda member: UserSocialAuth.objects.filter(user=member.pk),
    erase=lambda member: UserSocialAuth.objects.filter(user=member.pk).delete(),
    without=("extra_data",),
)
register(LogEntry, lambda member: LogEntry.objects.filter(user=member.pk), erase=nothing)
