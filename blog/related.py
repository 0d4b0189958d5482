"""
The posts around a post: the one before, the one after, and at most four that share most tags with it.

One statement finds all of them by indexes. Similar are posts with the same tags, the newest first among equals. Of each
tag only the newest thirty posts are compared, which is what keeps it as quick with a million posts: older ones are not
similar, we decide. Which they are, the tags on posts say (PostTag); whether they are public, the posts themselves.
"""

from dataclasses import dataclass, field
from functools import cache

from django.utils import timezone

from core import sql

from .lines import Line, line
from .models import Post
from .models.posts import IS_PUBLISHED
from .public import PublicPost

SIMILAR = 4
NEWEST_OF_A_TAG = 30
TAGS_COMPARED = 10

# `until` is now or the post's own moment: with both to choose from, SQLite would begin at the wrong one.
AROUND = f"""
SELECT * FROM (
    SELECT 'previous' AS place, title, slug, publish_on, 0 AS shared, publish_at, id FROM blog_post
    WHERE {IS_PUBLISHED.replace("now", "until")} AND (publish_at, id) < (%(at)s, %(id)s)
    ORDER BY publish_at DESC, id DESC LIMIT 1
) AS previous
UNION ALL
SELECT * FROM (
    SELECT 'next' AS place, title, slug, publish_on, 0 AS shared, publish_at, id FROM blog_post
    WHERE {IS_PUBLISHED} AND (publish_at, id) > (%(at)s, %(id)s)
    ORDER BY publish_at, id LIMIT 1
) AS following
"""

OF_A_TAG = f"""
SELECT * FROM (
    SELECT content_object_id, publish_at FROM blog_posttag
    WHERE tag_id = %({{tag}})s AND is_published AND publish_at <= %(now)s
    ORDER BY publish_at DESC, content_object_id DESC LIMIT {NEWEST_OF_A_TAG}
) AS {{tag}}
"""

LIKE_IT = f"""
UNION ALL
SELECT 'similar' AS place, title, slug, publish_on, shared, publish_at, id
FROM (
    SELECT content_object_id, count(*) AS shared FROM ({{of_tags}}) AS near WHERE content_object_id <> %(id)s
    GROUP BY content_object_id ORDER BY count(*) DESC, max(publish_at) DESC, content_object_id DESC LIMIT {SIMILAR}
) AS closest
JOIN blog_post ON id = content_object_id
WHERE {IS_PUBLISHED}
ORDER BY shared DESC, publish_at DESC, id DESC
"""


@dataclass
class RelatedPosts:
    previous: Line | None = None
    next: Line | None = None
    similar: list[Line] = field(default_factory=list)


def related_to(post: Post | PublicPost) -> RelatedPosts:
    """Find the public posts around this one, in one query."""
    tags = {f"tag{place}": tag["id"] for place, tag in enumerate(post.tag_list[:TAGS_COMPARED])}
    now, at = timezone.now(), post.publish_at
    found = RelatedPosts()
    for place, *shown, _shared, _at, _id in sql.rows(
        "blog", _statement(*tags), now=now, until=min(now, at), at=at, id=post.pk, **tags
    ):
        if place == "similar":
            found.similar.append(line(*shown))
        else:
            setattr(found, place, line(*shown))
    return found


@cache
def _statement(*tags: str) -> str:
    """Return the statement for a post with so many tags."""
    return (
        AROUND + LIKE_IT.format(of_tags=" UNION ALL ".join(OF_A_TAG.format(tag=tag) for tag in tags))
        if tags
        else AROUND
    )
