"""The mails that posts and comments cause. Each is written in the transaction that causes it."""

import hashlib
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from core.web.links import site_url
from mail import outbox

from .models import Comment, Post


def share(post: Post, data: dict[str, Any], quoted_note: str) -> None:
    """Send the post to somebody; the same share twice on a day is one mail."""
    key = hashlib.sha256(f"{post.pk}:{data['email']}:{data['to']}".lower().encode()).hexdigest()[:40]
    outbox.enqueue(
        kind="share",
        dedup_key=f"share:{timezone.now():%Y%m%d}:{key}",
        to=data["to"],
        template="blog/email/share",
        context={
            "post": post,
            "post_url": site_url(post.get_absolute_url()),
            "name": data["name"],
            "email": data["email"],
            "note": quoted_note,
            "site_name": settings.SITE_NAME,
        },
    )


def comment_waiting(comment: Comment, to: str, token: str) -> None:
    """Ask somebody who may decide, by a link of their own."""
    outbox.enqueue(
        kind="comment_waiting",
        dedup_key=f"comment-waiting:{comment.pk}:{to}",
        to=to,
        template="blog/email/comment_waiting",
        context={
            "comment": comment,
            "post_url": site_url(comment.post.get_absolute_url()),
            "decide_url": site_url(reverse("blog:comment_decide", args=[token])),
            "site_name": settings.SITE_NAME,
        },
        secret=True,
    )
