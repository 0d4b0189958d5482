from .comments import BannedAddress, Comment
from .counts import PostCount
from .history import Revision, remember
from .posts import Mention, OldAddress, Post, PostQuerySet
from .tags import PostTag, Tag, TagAlias

__all__ = [
    "BannedAddress",
    "Comment",
    "Mention",
    "OldAddress",
    "Post",
    "PostCount",
    "PostQuerySet",
    "PostTag",
    "Revision",
    "Tag",
    "TagAlias",
    "remember",
]
