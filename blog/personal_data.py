"""What of a member is kept by the blog (archive/personal_data.py)."""

from django.utils.translation import gettext as _

from archive.personal_data import register
from core.people import Member

from .models import Comment, Post


def make_comments_nameless(member: Member) -> None:
    # The words stay, since answers refer to them.
    Comment.objects.filter(author=member.pk).update(name=_("Former member"), email="gone@gone.invalid", author=None)


def keep(member: Member) -> None:
    """Posts stay: they are the publisher's, and their author is shown without a name from now on."""


register(Comment, lambda member: Comment.objects.filter(author=member.pk), erase=make_comments_nameless)
register(Post, lambda member: Post.objects.filter(author=member.pk), erase=keep)
