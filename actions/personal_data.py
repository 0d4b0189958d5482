"""What of a member is kept by the stream (archive/personal_data.py)."""

from django.contrib.auth import get_user_model
from django.db.models import Q

from archive.personal_data import register
from core.people import Member

from .models import Action


def erase(member: Member) -> None:
    about = Q(target_kind=get_user_model()._meta.label_lower, target_id=member.pk)
    Action.objects.filter(Q(actor=member.pk) | about).delete()


register(Action, lambda member: Action.objects.filter(actor=member.pk), erase=erase)
