"""Signed marks that travel with a visitor: when a form was shown, which comment may be decided, which draft be seen."""

from typing import Any
from uuid import UUID

from django.core import signing
from django.utils.translation import gettext_lazy as _

FORM_SALT = "blog.form"
DECIDE_SALT = "blog.comment.decide"
# People read before they write; scripts do not. A page may lie open, or in a cache, for long.
FORM_LEAST_SECONDS = 3
FORM_MOST_SECONDS = 7 * 24 * 3600
DECIDE_SECONDS = 30 * 24 * 3600
PREVIEW_SALT = "blog.post.preview"
PREVIEW_DAYS = 14

TOO_QUICK = _("That was very quick. Please look it over and send it again.")
TOO_OLD = _("This form has been open for very long. Please send it again.")


def form_token(*, again: bool = False) -> str:
    """Return the mark of a form shown now; `again` for one that was refused, which may come back as quickly as it likes."""
    return signing.TimestampSigner(salt=FORM_SALT).sign("again" if again else "shown")


def form_problem(token: str) -> Any:
    """Return what is wrong with a form's token, in words for the visitor, or None."""
    signer = signing.TimestampSigner(salt=FORM_SALT)
    try:
        if signer.unsign(token, max_age=FORM_MOST_SECONDS) == "again":
            return None
    except signing.BadSignature:
        return TOO_OLD
    try:
        signer.unsign(token, max_age=FORM_LEAST_SECONDS)
    except signing.SignatureExpired:
        return None
    return TOO_QUICK


def decide_token(comment_id: int, author_id: int | None = None) -> str:
    """Return what decides about a comment, for the post's author or, without one, for the address of the staff."""
    return signing.dumps([comment_id, author_id], salt=DECIDE_SALT)


def decided_comment(token: str) -> tuple[int, int | None] | None:
    """Return the comment's and the author's id from a mailed link that is ours and not too old."""
    try:
        comment_id, author_id = signing.loads(token, salt=DECIDE_SALT, max_age=DECIDE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return comment_id, author_id


def preview_token(post_id: int, key: UUID) -> str:
    """Return what opens a draft for a while; a new `preview_key` on the post makes every earlier one worthless."""
    return signing.dumps([post_id, key.hex], salt=PREVIEW_SALT)


def previewed_post(token: str) -> tuple[int, UUID] | None:
    """Return the id and key of the post that a preview link is for, or None when it is forged or too old."""
    try:
        post_id, key = signing.loads(token, salt=PREVIEW_SALT, max_age=PREVIEW_DAYS * 24 * 3600)
        return int(post_id), UUID(key)
    except (signing.BadSignature, ValueError, TypeError):
        return None
