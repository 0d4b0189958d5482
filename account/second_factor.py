"""
The second factor: set up, confirmed, asked for, removed.

A session that has given a password (or came from Google) is asked for a code once; account/middleware.py lets it no
further before. Every code works once: a time step that was used, and all before it, are refused.
"""

import base64
import hmac
import secrets
import textwrap
from hashlib import sha256
from typing import Any

import pyotp
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from pyotp.exceptions import OTPVerificationError

from .models import RecoveryCode, SecondFactor, User

PASSED = "second_factor"  # session key: the id of the member whose code was right
RECOVERY_CODES = 10
RECOVERY_BYTES = 17  # 136 random bits: nobody guesses one, nor works one out of its hash
RECOVERY_LENGTHS = (28, 10)  # letters and digits; those of earlier releases have ten


def begin(user: User, *, anew: bool = False) -> SecondFactor:
    """Return the factor to be confirmed; the same secret unless `anew`, so that a reload shows the same picture."""
    factor, _is_new = SecondFactor.objects.get_or_create(user=user, defaults={"secret": pyotp.random_base32()})
    if anew or not factor.secret:  # none: sealed under a SECRET_KEY that is gone
        factor.secret = pyotp.random_base32()
        factor.save(update_fields=["secret"])
    return factor


def confirm(user: User, code: str) -> list[str] | None:
    """Put the factor in force if the code is right, and return the recovery codes, which are shown this once."""
    with transaction.atomic():
        factor = SecondFactor.objects.filter(user=user, confirmed_at=None).first()
        if factor is None or not _use_code(factor, code):
            return None
        SecondFactor.objects.filter(pk=factor.pk).update(confirmed_at=timezone.now())
        user.has_second_factor = True
        user.save(update_fields=["has_second_factor"])
        return new_recovery_codes(user)


def check(user: User, code: str) -> bool:
    """Use up a code of the app, or a recovery code; safe against the same code twice at once."""
    code = _bare(code)
    factor = SecondFactor.objects.filter(user=user).exclude(confirmed_at=None).first()
    if factor is None:
        return False
    if is_recovery_code(code):
        return _use_recovery_code(user, code)
    return _use_code(factor, code)


def is_recovery_code(code: str) -> bool:
    """Tell whether what was typed is looked up among the recovery codes; all else is for the app's."""
    return len(_bare(code)) in RECOVERY_LENGTHS


def _bare(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _use_recovery_code(user: User, code: str) -> bool:
    digest = _digest(user, code)
    unused = RecoveryCode.objects.filter(user=user, used_at=None)
    matching = [row.pk for row in unused if row.digest and hmac.compare_digest(row.digest, digest)]
    return bool(unused.filter(pk__in=matching).update(used_at=timezone.now()))


def is_in_force(user: User) -> bool:
    """Tell whether there is a factor to ask for; a mark on the member without one would shut them out for good."""
    if SecondFactor.objects.filter(user=user).exclude(confirmed_at=None).exists():
        return True
    remove(user)
    return False


def remove(user: User) -> None:
    with transaction.atomic():
        SecondFactor.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        user.has_second_factor = False
        user.save(update_fields=["has_second_factor"])


def mark_passed(request: HttpRequest) -> None:
    request.session[PASSED] = str(request.user.pk)
    request.session.cycle_key()


def is_passed(request: HttpRequest) -> bool:
    return bool(request.session.get(PASSED) == str(request.user.pk))


def _use_code(factor: SecondFactor, code: str) -> bool:
    if not factor.secret:  # an empty key would have codes that anybody can work out
        return False
    step = _step_of(factor.secret, code.strip())
    if step is None:
        return False
    # The condition makes one winner of two requests with the same code.
    return bool(SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step).update(last_step=step))


def _step_of(secret: str, code: str) -> int | None:
    """Return the time step that the code belongs to, or None when it is no code of now."""
    if not (code.isascii() and code.isdigit()):  # pyotp takes digits of other scripts, and fails on half a character
        return None
    try:  # a phone's clock may be off by one step either way
        return pyotp.TOTP(secret).verify_and_get_timecode(code, valid_window=1)
    except OTPVerificationError:
        return None


def new_recovery_codes(user: User) -> list[str]:
    """Make the codes anew and return them, which is the only time; earlier ones open nothing any more."""
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(user, _bare(code))) for code in codes)
    return codes


def _new_code() -> str:
    """Return a code of letters and digits that are told apart on paper, in groups of four."""
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().rstrip("=").lower()
    return "-".join(textwrap.wrap(text, 4))


def _digest(user: User, code: str) -> str:
    # What nobody can guess needs no slow hash; salted by whose it is, and inside a sealed column.
    return hmac.new(str(user.pk).encode(), code.encode(), sha256).hexdigest()


def context_of(factor: SecondFactor, site: str) -> dict[str, Any]:
    """Return what the set-up page shows: the QR code as a picture, and the secret to type where there is no camera."""
    import segno  # 20 ms that only this page needs

    key = factor.secret or ""  # begin() has seen to it that there is one
    address = pyotp.TOTP(key, name=factor.user.username, issuer=site).provisioning_uri()
    picture = segno.make(address, error="m").svg_data_uri(scale=5, dark="#000", light="#fff")
    secret = " ".join(key[start : start + 4] for start in range(0, len(key), 4))
    return {"picture": picture, "secret": secret, "address": address}
