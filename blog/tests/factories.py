from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from account.tests.factories import make_user
from blog.models import Comment, Post

_numbers = count(1)


def make_post(title: str = "", *, tags: tuple[str, ...] = (), published: bool = True, **fields: Any) -> Post:
    """Create a post, public since yesterday unless told otherwise."""
    title = title or f"Post number {next(_numbers)}"
    fields.setdefault("body", f"The text of *{title}*.")
    fields.setdefault("publish_at", timezone.now() - timedelta(days=1))
    fields.setdefault("status", Post.Status.PUBLISHED if published else Post.Status.DRAFT)
    if "author" not in fields:
        fields["author"] = make_user()
    post = Post.objects.create(title=title, **fields)
    if tags:
        post.tags.set(tags)
    return post


def make_comment(post: Post, **fields: Any) -> Comment:
    """Write an approved comment of a guest."""
    number = next(_numbers)
    fields.setdefault("name", f"Guest {number}")
    fields.setdefault("email", f"guest{number}@example.com")
    fields.setdefault("body", f"Remark number {number}.")
    fields.setdefault("state", Comment.State.APPROVED)
    return Comment.objects.create(post=post, **fields)
