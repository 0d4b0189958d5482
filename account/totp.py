"""One-time codes as authenticator apps make them (RFC 6238: SHA-1, six digits, 30 seconds)."""

import base64
import hmac
import secrets
import struct
import time
from urllib.parse import quote, urlencode

SECONDS = 30
DIGITS = 6
# A phone's clock may be off by one step either way.
DRIFT = (0, -1, 1)


def new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), "sha1").digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_now() -> int:
    return int(time.time()) // SECONDS


def step_of(secret: str, code: str) -> int | None:
    """Return the time step that the code belongs to, or None when it is no code of now."""
    if not (code.isascii() and code.isdigit()):
        return None
    now = step_now()
    return next((now + drift for drift in DRIFT if hmac.compare_digest(code_at(secret, now + drift), code)), None)


def app_address(secret: str, *, account: str, issuer: str) -> str:
    """Return the otpauth: address that an authenticator app reads from the QR code."""
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": SECONDS}, quote_via=quote)
    return f"otpauth://totp/{quote(f'{issuer}:{account}')}?{query}"
