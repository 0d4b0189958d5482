"""What of a member is kept by the blog (archive/personal_data.py)."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from archive.personal_data import register

from .models import Comment, Post

if TYPE_CHECKING:
    from account.models import User


def make_comments_nameless(user: "User") -> None:
    # The words stay, since answers refer to them.
    Comment.objects.filter(author=user).update(name=_("Former member"), email="gone@gone.invalid", author=None)


def keep(user: "User") -> None:
    """Posts stay: they are the publisher's, and their author is shown without a name from now on."""


register(Comment, lambda user: Comment.objects.filter(author=user), erase=make_comments_nameless)
register(Post, lambda user: Post.objects.filter(author=user), erase=keep)
