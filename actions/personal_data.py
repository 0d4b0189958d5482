"""What of a member is kept by the stream (archive/personal_data.py)."""

from typing import TYPE_CHECKING

from django.db.models import Q

from archive.personal_data import register

from .models import Action

if TYPE_CHECKING:
    from account.models import User


def erase(user: "User") -> None:
    Action.objects.filter(Q(actor=user) | Q(target_kind=user._meta.label_lower, target_id=user.pk)).delete()


register(Action, lambda user: Action.objects.filter(actor=user), erase=erase)
