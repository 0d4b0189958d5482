import base64
import hmac
import time
from itertools import count

from django.contrib.auth.models import Permission
from django.utils import timezone

from account.models import User

_numbers = count(1)
PASSWORD = "a-long-enough-passphrase"


def make_user(username: str = "", *, proven: bool = True, staff: bool = False, **fields: object) -> User:
    """Create a member; `proven` marks the e-mail address as confirmed."""
    username = username or f"member{next(_numbers)}"

    fields.setdefault("email", f"{username}@example.com")
    fields.setdefault("first_name", username.capitalize())
    fields.setdefault("email_proven_at", timezone.now() if proven else None)
    return User.objects.create_user(username, password=PASSWORD, is_staff=staff, is_superuser=staff, **fields)


def make_staff(username: str, *permissions: str) -> User:
    """Create somebody who may enter the admin and has these permissions ("account.change_user") alone."""
    person = make_user(username)
    person.is_staff = True
    person.save()
    for name in permissions:
        app_label, _, codename = name.partition(".")
        person.user_permissions.add(Permission.objects.get(content_type__app_label=app_label, codename=codename))
    return person


def code_at(secret: str, moment: float) -> str:
    """Work out an app's code as RFC 6238 writes it, without the library that judges it (nor its view of what a key is)."""
    step = int(moment // 30)
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def code_now(secret: str, *, steps: int = 0) -> str:
    return code_at(secret, time.time() + 30 * steps)
