"""
Sessions that know whose they are, so that a person can see and end them (Django's documented way to extend its store).

The cookie carries the key, the row only its hash: whoever reads the table, a list of it or a backup logs in as nobody.
"""

import time
from hashlib import sha256
from string import ascii_lowercase, digits
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.dateparse import parse_datetime

from core import sql
from core.stores.databases import is_away

from .models import Session, User

DEVICE = "device"  # session key: which browser logged in, and when
SEEN = "staff_seen"  # session key: when a member of staff last asked for something, in seconds
RECENT = 600  # seconds
MEMBER_SESSION_DAYS = 90  # after which a session ends however much it is used
NOTED_EVERY = 600  # seconds; a row written at each request would cost more than ten minutes of precision
# By hand, since every page asks it for whoever has a session: the ORM takes four times as long (core/sql.py).
MEMBER = ", ".join(f'member."{field.column}"' for field in User._meta.concrete_fields)
ASKED = f"""
    SELECT {MEMBER}, session.session_data
    FROM account_session AS session LEFT JOIN account_user AS member ON member.id = session.member_id
    WHERE session.session_key = %(key)s AND session.expire_date > %(now)s
"""  # noqa: S608 (the names of our own columns)


class SessionStore(DatabaseStore):
    """
    `member` is the session's, read with its row, so that a page of theirs need not ask a second time who they are.

    By private parts of Django (tests/test_private_django.py): its store has no public place for another query and key.
    """

    member: User | None = None

    def _get_session_from_db(self) -> Any:
        if not self.session_key:
            return None
        found = sql.things(User, ASKED, key=hashed(self.session_key), now=timezone.now())
        row = next(iter(found), None)
        if row is None:
            self._session_key = None
            return None
        self.member = row if row.pk else None
        return row

    @classmethod
    def get_model_class(cls) -> Any:
        return Session

    def _get_new_session_key(self) -> str:
        # Django asks the database first whether 165 random bits are taken; create() notices when the row is written.
        return get_random_string(32, ascii_lowercase + digits)

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002
        try:
            super().save(must_create)
        except UpdateError as error:
            # Django takes any error for a session that was deleted meanwhile, and answers 400.
            if is_away(error):
                raise OperationalError("The session could not be saved.") from error
            raise

    def exists(self, session_key: str) -> bool:
        return super().exists(hashed(session_key))

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            super().delete(hashed(key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.session_key = hashed(row.session_key)
        device = data.get(DEVICE, {})
        row.member_id = data.get(SESSION_KEY)
        row.device = device.get("agent", "")
        row.created_at = parse_datetime(device.get("at", "")) or timezone.now()
        return row


def remember_device(request: HttpRequest | None) -> None:
    """Note which browser this session belongs to, and since when; called when somebody logs in."""
    if request is None:
        return
    agent = request.headers.get("User-Agent", "")[:200]
    request.session[DEVICE] = {"agent": agent, "at": timezone.now().isoformat()}
    request.session[SEEN] = int(time.time())


def has_lasted(request: HttpRequest, days: float) -> bool:
    """Tell whether the session began longer ago, however much it was used since."""
    began = parse_datetime(request.session.get(DEVICE, {}).get("at", ""))
    return began is not None and time.time() - began.timestamp() > days * 86400


def is_worn_out(request: HttpRequest) -> bool:
    """
    Tell whether a session has lasted, or one of staff has lain idle, for longer than is allowed.

    An unlocked computer or a stolen cookie opens the shop's orders; members have Django's two weeks to be idle.
    """
    if not request.user.is_staff:
        return has_lasted(request, MEMBER_SESSION_DAYS)
    if has_lasted(request, settings.STAFF_SESSION_DAYS):
        return True
    now, session = time.time(), request.session
    seen = session.get(SEEN)
    if seen is not None and now - seen > settings.STAFF_IDLE_HOURS * 3600:
        return True
    if seen is None or now - seen > NOTED_EVERY:
        session[SEEN] = int(now)
    return False


def is_recent(request: HttpRequest) -> bool:
    """Tell whether whoever sits there has logged in just now, and need not be asked again who they are."""
    began = parse_datetime(request.session.get(DEVICE, {}).get("at", ""))
    return began is not None and time.time() - began.timestamp() < RECENT


def hashed(session_key: str) -> str:
    """Return the key as the table knows it; 165 random bits need neither salt nor a slow hash."""
    return sha256(session_key.encode()).hexdigest()
