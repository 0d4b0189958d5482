from .comments import BannedAddress, Comment
from .history import Revision, remember
from .posts import Mention, OldAddress, Post, PostQuerySet
from .tags import PostTag, Tag, TagAlias
from .tallies import Tally

__all__ = [
    "BannedAddress",
    "Comment",
    "Mention",
    "OldAddress",
    "Post",
    "PostQuerySet",
    "PostTag",
    "Revision",
    "Tag",
    "TagAlias",
    "Tally",
    "remember",
]
