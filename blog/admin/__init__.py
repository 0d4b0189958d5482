from .comments import BannedAddressAdmin, CommentAdmin
from .posts import PostAdmin
from .tags import TagAdmin, TagAliasAdmin, TallyAdmin

__all__ = ["BannedAddressAdmin", "CommentAdmin", "PostAdmin", "TagAdmin", "TagAliasAdmin", "TallyAdmin"]
