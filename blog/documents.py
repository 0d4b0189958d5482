"""What the search index knows about a post."""

from urllib.parse import unquote

from search.registry import Entry

from . import text
from .models import Post


def entry(post: Post) -> Entry:
    is_published = post.status == Post.Status.PUBLISHED
    return Entry(
        title=post.title,
        url=unquote(post.get_absolute_url()),  # in other scripts three times as short
        summary=post.summary,
        body=text.plain(post.body_html),
        tags=" ".join(tag["name"] for tag in post.tag_list),
        public_from=post.publish_at if is_published else None,
    )
