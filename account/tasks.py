from celery import shared_task

from . import tries
from .models import Session
from .sessions import SessionStore


@shared_task
def sweep_sessions() -> None:
    """Delete sessions that have expired, and those of members who were switched off."""
    SessionStore.clear_expired()
    Session.objects.filter(member__is_active=False).delete()
    tries.forget_old()
