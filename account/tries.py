"""
How often a password or a code may be guessed, whoever asks from wherever: counted in the database.

A try is spent before it is judged, by one guarded UPDATE, so a thousand guesses at once are not judged at once; a
right one is given back. Some tries are free, then one comes back every few minutes: that delays a guesser for good and
never locks anybody out for good. In any hour at most `free + 3600 / seconds` are judged.

A login is counted under the name that was typed, which may be one of the account's two, or nobody's: so all three are
answered alike. A browser that the member has logged in with before (devices.py) is counted by itself; whoever guesses
elsewhere cannot keep it out.
"""

import time
from typing import NamedTuple

from django.db.models import F
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from core.web.ratelimit import TooOften
from mail.addresses import plain

from . import devices
from .models import Tries, User
from .second_factor import is_recovery_code


class Limit(NamedTuple):
    free: int
    seconds: int  # until one more comes back


LOGIN = Limit(free=5, seconds=720)  # for each of the account's two names: 20 guesses an hour
LOGIN_FROM_KNOWN_DEVICE = Limit(free=10, seconds=360)
PASSWORD = Limit(free=10, seconds=360)  # asked for again, of somebody who is logged in
CODE = Limit(free=10, seconds=360)


def spend(key: str, limit: Limit) -> int:
    """Take one try; return 0, or the seconds until there is one."""
    now = int(time.time())
    latest = now + (limit.free - 1) * limit.seconds
    row = Tries.objects.filter(key=key)
    while not row.filter(spent_until__lte=latest).update(spent_until=Greatest(F("spent_until"), now) + limit.seconds):
        if spent_until := row.values_list("spent_until", flat=True).first():
            return max(1, spent_until - latest)
        Tries.objects.bulk_create([Tries(key=key, spent_until=now)], ignore_conflicts=True)
    return 0


def give_back(key: str, limit: Limit) -> None:
    Tries.objects.filter(key=key).update(spent_until=F("spent_until") - limit.seconds)


def check_login(request: HttpRequest | None, user: User | None, typed: str, password: str) -> bool:
    """Judge a password at the login; raises TooOften. Takes as long for a name that is nobody's."""
    device = devices.known(request, user) if request and user else ""
    key, limit = (f"device:{device}", LOGIN_FROM_KNOWN_DEVICE) if device else (_name_key(typed), LOGIN)
    if seconds := spend(key, limit):
        raise TooOften(seconds, "registration/too_many_passwords.html")
    if user is None:
        User().set_password(password)
        return False
    is_right = user.check_password(password)
    if is_right:
        give_back(key, limit)
    return is_right


def check_password(user: User, password: str) -> bool:
    """Judge the password of somebody who is logged in and asked for it once more; raises TooOften."""
    key = f"password:{user.pk}"
    if seconds := spend(key, PASSWORD):
        raise TooOften(seconds)
    is_right = user.check_password(password)
    if is_right:
        give_back(key, PASSWORD)
    return is_right


def spend_code(request: HttpRequest, user: User, code: str = "") -> str:
    """
    Count a code before it is judged and return under which key; raises TooOften.

    Whoever knows the password and guesses codes keeps neither a browser out in which a code was right before, nor a
    recovery code.
    """
    key = _code_key(request, user, code)
    if seconds := spend(key, CODE):
        raise TooOften(seconds)
    return key


def give_back_code(key: str) -> None:
    give_back(key, CODE)


def _code_key(request: HttpRequest, user: User, code: str) -> str:
    if device := devices.known(request, user, for_codes=True):
        return f"code:device:{device}"
    return f"code:recovery:{user.pk}" if is_recovery_code(code) else f"code:{user.pk}"


def forget(user: User) -> None:
    """Drop what is counted of somebody who leaves."""
    names = [_name_key(user.username), _name_key(user.email)]
    codes = [f"code:{user.pk}", f"code:recovery:{user.pk}"]
    Tries.objects.filter(key__in=[*names, f"password:{user.pk}", *codes]).delete()


def forget_old() -> None:
    """Drop the rows of those who have all their tries again."""
    Tries.objects.filter(spent_until__lt=int(time.time())).delete()


def mark(typed: str) -> str:
    """Return what tells one typed name from another without telling the name."""
    return _name_key(typed).removeprefix("name:")[:12]


def _name_key(typed: str) -> str:
    # Hashed: people type passwords into the field for their name.
    return f"name:{salted_hmac('account.tries', plain(typed), algorithm='sha256').hexdigest()[:40]}"
