from celery import shared_task

from . import tries
from .models import Session
from .registration import forget_old_registrations
from .sessions import SessionStore


@shared_task
def sweep_sessions() -> None:
    """Delete sessions that have expired, those of members who were switched off, and what else is over by itself."""
    SessionStore.clear_expired()
    Session.objects.filter(member__is_active=False).delete()
    tries.forget_old()
    forget_old_registrations()
