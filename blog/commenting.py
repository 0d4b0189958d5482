"""
What happens when somebody comments: whose comment shows at once, and who is told about one that waits.

A typed e-mail address proves nothing: whoever knows a customer's address could speak as a trusted person. Trust goes
with the session instead. A comment shows at once when its writer

* is logged in, and the account's address was proven by a mailed link, or
* is the guest whose browser has bought here: the session holds the address ("proven_addresses", written when its order
  is paid), the address is marked proven, and the comment is signed with it, or
* has had a comment approved before: the same account, or the same browser (a signed cookie names its last comment) with
  the same address.

Everybody else is a stranger, whose comment waits for approval.
"""

from email.utils import parseaddr

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from core.web import ratelimit
from core.web.cookies import named
from mail import addresses

from . import mails, tokens
from .models import BannedAddress, Comment

# Beyond this a flood fills the waiting list in the admin, not the editors' mailboxes.
MAILS_ABOUT_A_POST = "10/h"
COOKIE = named("commenter")
COOKIE_SECONDS = 180 * 24 * 3600


def leave(comment: Comment, request: HttpRequest) -> Comment:
    """Save a new comment in the state it deserves; mail the author and the staff when it waits."""
    comment.state = _state(comment, request)
    with transaction.atomic():
        comment.save()
        if comment.state == Comment.State.WAITING and ratelimit.hit(
            "comment-mail", str(comment.post_id), MAILS_ABOUT_A_POST
        ):
            tell_editors(comment)
    return comment


def _state(comment: Comment, request: HttpRequest) -> str:
    if BannedAddress.covers(comment.email):
        return Comment.State.HIDDEN
    return Comment.State.APPROVED if _is_trusted(comment, request) else Comment.State.WAITING


def _is_trusted(comment: Comment, request: HttpRequest) -> bool:
    member = comment.author
    if member:
        was_approved = member.comments.approved().exists
        return bool(member.is_staff or getattr(member, "email_proven_at", None) or was_approved())
    email = comment.email.lower()
    last = request.get_signed_cookie(COOKIE, default="", salt=COOKIE)
    if last and Comment.objects.approved().by_address(email).filter(pk=last).exists():
        return True
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    return email in request.session.get("proven_addresses", []) and addresses.is_proven(email)


def remember(comment: Comment, response: HttpResponse) -> None:
    """Let this browser's next comment be known as coming from the same hand, unless it is a member's."""
    if not comment.author_id:
        response.set_signed_cookie(
            COOKIE,
            str(comment.pk),
            salt=COOKIE,
            max_age=COOKIE_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def tell_editors(comment: Comment) -> None:
    """Mail those who may decide, each with a link of their own that shows the comment and asks before it acts."""
    for to, author_id in _editors(comment).items():
        mails.comment_waiting(comment, to, tokens.decide_token(comment.pk, author_id))


def _editors(comment: Comment) -> dict[str, int | None]:
    """Return who may decide by address, the author with their id."""
    author, staff = comment.post.author, parseaddr(settings.STAFF_EMAIL)[1].lower()
    editors: dict[str, int | None] = {author.email.lower(): author.pk} if author.is_active else {}
    return editors | ({staff: None} if staff else {})


def decided_by(token: str) -> Comment | None:
    """Return the comment of a mailed link, unless it was mailed to somebody who is not its post's active author now."""
    read = tokens.decided_comment(token)
    if read is None:
        return None
    comment_id, author_id = read
    comments = Comment.objects.select_related("post").filter(pk=comment_id)
    if author_id is not None:
        comments = comments.filter(post__author=author_id, post__author__is_active=True)
    return comments.first()
